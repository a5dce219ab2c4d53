import os
import shutil
from datetime import datetime
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from orchestration.landing.assets import landed
from orchestration.landing.errors import MappingError
from orchestration.landing.registered import (
    land_registered,
    last_landing,
    register,
    registered,
    resolve,
    sentence,
)
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from serving.home import Home


def test_a_source_is_remembered_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.state.mkdir(parents=True)
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "likes.jsonl").write_text("{}\n")
    entry = resolve("sample", documents, None)
    for _ in range(2):
        register(home, entry)
    assert registered(home) == [entry]


def test_a_moved_home_finds_the_documents_inside_it(tmp_path: Path) -> None:
    first = Home(tmp_path / "first")
    documents = first.root / "sample_city" / "documents"
    documents.mkdir(parents=True)
    first.state.mkdir()
    (documents / "places.jsonl").write_text('{"_id": "p1", "name": "x"}\n')
    register(first, resolve("sample", documents, None))
    moved = Home(tmp_path / "second")
    shutil.move(first.root, moved.root)
    assert [file.lines_in for file in land_registered(moved)] == [1]


MAPPING = """
source: shop
format: csv
events: {file: bookings.csv, user: customer, place: venue, time: {column: booked}, kind: visit}
"""


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Home, Path, Path]:
    """A home, a mapping file and the file that it describes."""
    home = Home(tmp_path / "home")
    home.state.mkdir(parents=True)
    mapping, bookings = tmp_path / "shop.yml", tmp_path / "bookings.csv"
    mapping.write_text(MAPPING)
    bookings.write_text("customer,venue,booked\nc1,v1,2026-03-01 19:30\n")
    return home, mapping, bookings


def test_a_source_that_does_not_fit_is_not_remembered(shop: tuple[Home, Path, Path]) -> None:
    home, mapping, bookings = shop
    mapping.write_text(MAPPING.replace("venue", "place"))
    with pytest.raises(MappingError, match="place"):
        register(home, resolve("interactions", bookings, mapping))
    assert registered(home) == []


def test_what_is_wrong_with_a_source_is_not_tried_again(shop: tuple[Home, Path, Path]) -> None:
    home, mapping, bookings = shop
    register(home, resolve("interactions", bookings, mapping))
    mapping.write_text(MAPPING.replace("venue", "place"))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [landed],
            instance=instance,
            partition_key="2026-03-01",
            resources={"home": HomeResource(root=str(home.root))},
            raise_on_error=False,
        )
    happened = [event.event_type_value for event in result.all_events]
    assert "STEP_FAILURE" in happened
    assert "STEP_UP_FOR_RETRY" not in happened


def arrived(path: Path, day: str) -> Path:
    """Let *path* have been written at noon of *day*."""
    noon = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
    os.utime(path, (noon, noon))
    return path


@pytest.fixture
def three_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose sample documents came on three days, and have not landed; it is the third."""
    monkeypatch.setenv("TASTEMATE_NOW", "2026-03-03T18:00:00+00:00")
    home = Home(tmp_path / "home")
    home.state.mkdir(parents=True)
    folder = tmp_path / "documents"
    folder.mkdir()
    for day in (1, 2, 3):
        like = f'{{"_id":"{day}","user_id":{day},"contents_id":"p","like_time":"2026-03-01"}}'
        path = folder / f"likes-{day}.jsonl"
        path.write_text(like + "\n")
        arrived(path, f"2026-03-0{day}")
    register(home, resolve("sample", folder, None))
    return home


def partition(home: Home, day: str, tags: dict[str, str] | None = None) -> list[str]:
    """Materialize the landing of *day*; give the files that landed."""
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"home": HomeResource(root=str(home.root))}
        dg.materialize(
            [landed], instance=instance, partition_key=day, resources=resources, tags=tags
        )
    return [file.name for file in last_landing(home).read() or [] if file.status == "landed"]


def test_a_back_fill_of_a_day_lands_what_arrived_that_day(three_days: Home) -> None:
    assert partition(three_days, "2026-03-02") == ["likes-2.jsonl"]
    assert partition(three_days, "2026-02-20") == []
    # Today's takes all that is left, whenever it arrived.
    assert partition(three_days, "2026-03-03") == ["likes-1.jsonl", "likes-3.jsonl"]


def test_a_day_on_which_nothing_arrived_is_no_first_load(three_days: Home) -> None:
    assert partition(three_days, "2026-02-20") == []
    partition(three_days, "2026-03-03")
    rows = pq.read_table(three_days.landed_files).to_pylist()
    assert [row["is_backfill"] for row in rows] == [True] * 3


def test_a_first_load_day_by_day_is_one_load(three_days: Home) -> None:
    for day in ("2026-03-02", "2026-03-01", "2026-03-03"):
        assert len(partition(three_days, day)) == 1
    more = arrived(next(three_days.root.parent.glob("documents/likes-3.jsonl")), "2026-03-03")
    more.with_name("likes-4.jsonl").write_text(more.read_text().replace('"3"', '"4"'))
    assert partition(three_days, "2026-03-03") == ["likes-4.jsonl"]
    rows = pq.read_table(three_days.landed_files).to_pylist()
    assert {row["name"]: row["is_backfill"] for row in rows} == {
        "likes-1.jsonl": True,
        "likes-2.jsonl": True,
        "likes-3.jsonl": True,
        "likes-4.jsonl": False,
    }


def test_the_commands_own_run_takes_all_even_after_midnight(three_days: Home) -> None:
    assert len(partition(three_days, "2026-03-02", STARTED_HERE)) == 3


def test_unreadable_lines_are_named(shop: tuple[Home, Path, Path]) -> None:
    home, mapping, bookings = shop
    bookings.write_text("customer,venue,booked\nc1,v1,2026-03-01\n" + "short\n" * 5)
    register(home, resolve("interactions", bookings, mapping))
    (file,) = land_registered(home)
    assert "5 wrong_field_count, lines 2, 3, 4 ..." in sentence(file)
    assert "Not one could be read" not in sentence(file)


def test_where_no_line_can_be_read_the_mapping_may_be_anothers(
    shop: tuple[Home, Path, Path],
) -> None:
    home, mapping, bookings = shop
    bookings.write_text("customer,venue,booked\n" + ",v1,2026-03-01\n" * 5)
    register(home, resolve("interactions", bookings, mapping))
    (file,) = land_registered(home)
    assert "Not one could be read: is this the mapping of these files?" in sentence(file)


def test_a_corrected_mapping_holds_for_what_has_landed(shop: tuple[Home, Path, Path]) -> None:
    home, mapping, bookings = shop
    register(home, resolve("interactions", bookings, mapping))
    land_registered(home)
    mapping.write_text(MAPPING.replace("kind: visit", "kind: like"))
    (file,) = land_registered(home)
    assert "holds from the next build on" in sentence(file)
    (row,) = pq.read_table(home.landed_files).to_pylist()
    assert '"kind":"like"' in row["mapping"]


def test_a_corrected_mapping_holds_for_an_export_that_was_overwritten_since(
    shop: tuple[Home, Path, Path],
) -> None:
    home, mapping, bookings = shop
    register(home, resolve("interactions", bookings, mapping))
    land_registered(home)
    with bookings.open("a") as export:
        export.write("c9,v9,2026-03-09\n")
    land_registered(home)
    mapping.write_text(MAPPING.replace("kind: visit", "kind: like"))
    told = [sentence(file) for file in land_registered(home)]
    assert len(told) == 2
    assert all("holds from the next build on" in one for one in told)
    rows = pq.read_table(home.landed_files).to_pylist()
    assert len(rows) == 2
    assert all('"kind":"like"' in row["mapping"] for row in rows)
    (again,) = land_registered(home)
    assert "holds from" not in sentence(again)


def test_an_export_of_other_columns_keeps_the_mapping_that_it_landed_under(
    shop: tuple[Home, Path, Path],
) -> None:
    home, mapping, bookings = shop
    register(home, resolve("interactions", bookings, mapping))
    land_registered(home)
    bookings.write_text("customer,venue,at\nc1,v1,2026-03-09\n")
    mapping.write_text(MAPPING.replace("column: booked", "column: at"))
    (file,) = land_registered(home)
    assert file.status == "landed"
    first, second = pq.read_table(home.landed_files).sort_by("landed_at").to_pylist()
    assert '"column":"booked"' in first["mapping"]
    assert '"column":"at"' in second["mapping"]


def test_a_mapping_cannot_change_who_has_landed(shop: tuple[Home, Path, Path]) -> None:
    home, mapping, bookings = shop
    register(home, resolve("interactions", bookings, mapping))
    land_registered(home)
    mapping.write_text(MAPPING.replace("user: customer", "user: venue"))
    with pytest.raises(MappingError, match="another column for the user"):
        land_registered(home)
