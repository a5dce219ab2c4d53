"""A home's sample city: one, whenever it is asked for, and of the week before it was made."""

from pathlib import Path

import pytest

from orchestration.home.atomic_files import write_atomically
from orchestration.landing import land
from orchestration.sample import generate, home_city
from orchestration.sample.home_city import KeptCity, OtherCityError, kept_city
from serving.home import Home

MADE, LATER = "2026-11-25T12:00:00Z", "2027-02-01T00:00:00Z"
KINDS = ("places", "likes", "reviews")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("TASTEMATE_NOW", MADE)
    home = Home(tmp_path / "home")
    home_city.make(home, events=300, seed=0)
    return home


def contents(documents: Path) -> list[bytes]:
    return [(documents / f"{kind}.jsonl").read_bytes() for kind in KINDS]


def test_the_city_is_that_of_any_other_day_but_for_whole_weeks(home: Home, tmp_path: Path) -> None:
    as_written = generate(tmp_path / "as written", events=300, seed=0)
    moved = generate(tmp_path / "moved", events=300, seed=0, weeks=20)
    assert kept_city(home).read() == KeptCity(events=300, seed=0, weeks=20)
    assert contents(home.sample_documents) == contents(moved.documents)
    assert contents(home.sample_documents)[1:] != contents(as_written.documents)[1:]
    assert moved.truth.read_bytes() == as_written.truth.read_bytes()


def test_asked_for_on_another_day_it_is_not_made_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(home.sample_documents)
    assert {file.status for file in land(home, "sample", home.sample_documents)} == {"landed"}
    monkeypatch.setenv("TASTEMATE_NOW", LATER)
    documents = home_city.make(home, events=300, seed=0)
    assert contents(documents) == before
    assert {file.status for file in land(home, "sample", documents)} == {"already_landed"}


def test_a_second_city_does_not_get_into_a_home(home: Home) -> None:
    for other in ({"events": 300, "seed": 1}, {"events": 301, "seed": 0}):
        with pytest.raises(OtherCityError, match="a home of its own"):
            home_city.make(home, **other)


def test_a_city_that_an_earlier_version_made_stays_where_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_atomically(home.sample_size, '{"events": 300, "seed": 0}')
    generate(home.sample_city, events=300, seed=0)
    before = contents(home.sample_documents)
    assert contents(home_city.make(home, events=300, seed=0)) == before
    assert kept_city(home).read() == KeptCity(events=300, seed=0, weeks=0)
