"""The next day of a home's city: files of its own, the same each time, with what was announced."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.landing import land
from orchestration.landing.mapping import SAMPLE
from orchestration.sample import home_city
from orchestration.sample.day_files import KINDS
from orchestration.sample.next_day import NextDay, NextDayError, write_next_day
from orchestration.warehouse.validate import validate
from serving.home import Home

MADE = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a city of 1,500 events, made on a Wednesday in November."""
    monkeypatch.setenv("TASTEMATE_NOW", MADE.isoformat())
    home = Home(tmp_path / "home")
    home_city.make(home, events=1500, seed=3)
    return home


def contents(home: Home, written: NextDay) -> dict[str, bytes]:
    return {file.name: (home.sample_documents / file.name).read_bytes() for file in written.files}


def documents(content: bytes) -> list[dict]:
    told = []
    for line in content.split(b"\n"):
        try:
            told.append(json.loads(line))
        except ValueError:
            continue
    return [one for one in told if isinstance(one, dict)]


def test_the_days_follow_each_other(home: Home) -> None:
    days = [write_next_day(home) for _ in range(3)]
    assert [str(day.day) for day in days] == ["2026-11-18", "2026-11-19", "2026-11-20"]
    assert [day.number for day in days] == [1, 2, 3]
    names = {file.name for day in days for file in day.files}
    assert names == {f"{kind}-{day.day}.jsonl" for kind in KINDS for day in days}
    assert [day.drifts for day in days] == [False, False, True]


def test_what_is_told_of_a_file_is_what_is_in_it(home: Home) -> None:
    written = write_next_day(home)
    for file in written.files:
        content = (home.sample_documents / file.name).read_bytes()
        assert file.lines == content.count(b"\n")
        assert file.lines == (
            file.on_time + file.late + file.corrected + file.deleted + file.repeated + file.unfit
        )
        told = documents(content)
        assert sum("deleted_at" in one for one in told) == file.deleted
    counts = Counter[str]()
    for file in written.files:
        counts.update(
            {
                name: value
                for name, value in vars(file).items()
                if value and name not in {"name", "kind"}
            }
        )
    assert {"on_time", "late", "corrected", "deleted"} <= set(counts)
    (place,) = documents((home.sample_documents / written.files[0].name).read_bytes())[:1]
    assert place["_id"] == written.new_place


def test_a_day_that_was_cut_off_is_written_again_as_it_was(home: Home) -> None:
    first = write_next_day(home)
    whole = contents(home, first)
    (home.sample_documents / first.files[-1].name).unlink()
    (home.sample_documents / first.files[0].name).write_bytes(b"")
    again = write_next_day(home)
    assert (again.day, again.files) == (first.day, first.files)
    assert contents(home, again) == whole


def test_the_same_city_has_the_same_days_whenever_it_is_made(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write_next_day(home)
    monkeypatch.setenv("TASTEMATE_NOW", "2026-12-02T12:00:00Z")
    other_home = Home(tmp_path / "other")
    home_city.make(other_home, events=1500, seed=3)
    other = write_next_day(other_home)
    assert (other.day - one.day).days == 7
    counts = [[{**vars(file), "name": ""} for file in day.files] for day in (one, other)]
    assert counts[0] == counts[1]


def test_a_day_that_is_not_over_is_not_told_of(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMATE_NOW", "2026-11-18T23:59:59Z")
    with pytest.raises(NextDayError, match="next day is 2026-11-18, and it is not over"):
        write_next_day(home)
    monkeypatch.setenv("TASTEMATE_NOW", "2026-11-19T00:00:00Z")
    assert write_next_day(home).number == 1


def test_a_home_without_a_city_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NextDayError, match="tastemate demo"):
        write_next_day(Home(tmp_path))


@pytest.mark.slow
def test_every_line_of_a_day_is_accounted_for(home: Home, tmp_path: Path) -> None:
    """As the marts will: accepted are the good ones and what takes back, the rest as announced."""
    land(home, "sample", home.sample_documents)
    days = [write_next_day(home) for _ in range(2)]
    told = {file.name: file for day in days for file in day.files}
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in told:
        (alone / name).write_bytes((home.sample_documents / name).read_bytes())
    verdicts = {one.name: one for one in validate(home, SAMPLE, alone)}
    for name, file in told.items():
        verdict = verdicts[name]
        assert verdict.lines_in == file.lines
        assert verdict.accepted + verdict.duplicates + verdict.quarantined == file.lines
        assert verdict.quarantined == file.unfit
        assert verdict.duplicates == file.repeated
    landed = {file.name: file for file in land(home, "sample", home.sample_documents)}
    assert {name: landed[name].lines_in for name in told} == {
        name: file.lines for name, file in told.items()
    }
