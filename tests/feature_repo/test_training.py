import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo import training
from feature_repo.settings import open_store
from feature_repo.training import TrainingSetError, point_in_time, write_training_set
from tests.feature_repo.conftest import DAY, MOMENT, World, favor, place

if TYPE_CHECKING:
    from pathlib import Path

LATER = MOMENT + DAY
TICK = timedelta(microseconds=1)


@pytest.fixture
def past(world: World) -> World:
    """One user with two windows, one with a single event, and the cut-off between the windows."""
    world.rows["user_favor"] = [
        favor("u0", 3),
        favor("u0", 4, LATER, first=1),
        favor("u1", 1),
    ]
    moments = [("u0", MOMENT, "window"), ("u0", LATER, "current"), ("u1", LATER, "current")]
    world.moments([*moments, ("u0", LATER - TICK, "cutoff"), ("u1", LATER - TICK, "cutoff")])
    # One more than the windows hold, and one that is known too late.
    world.events([MOMENT] * 5 + [LATER] * 2 + [LATER + DAY])
    return world.apply()


def test_the_join_never_sees_what_became_known_a_moment_later(past: World) -> None:
    assert asked(past, LATER - TICK) == [f"u0-e{n}" for n in range(3)]
    assert asked(past, LATER) == [f"u0-e{n}" for n in range(1, 5)]
    assert asked(past, MOMENT - TICK) is None


def test_windows_make_one_history_in_order_of_events(past: World) -> None:
    _, histories = written(past, LATER)
    row = histories[0]
    assert [row["user_id"] for row in histories] == ["u0", "u1"]
    assert row["event_ids"] == [f"u0-e{n}" for n in range(5)]
    assert row["event_ats"] == sorted(row["event_ats"])
    assert row["place_ids"] == [f"p{n % 3}" for n in range(5)]


def test_of_an_event_in_several_windows_counts_what_was_known_last(past: World) -> None:
    late = past.rows["user_favor"][1]
    _, histories = written(past, LATER)
    assert histories[0]["event_ats"][1:] == late["event_ats"]


def test_a_set_as_of_the_past_holds_nothing_known_later(past: World) -> None:
    moments = [("u0", MOMENT, "window"), ("u0", LATER, "current"), ("u0", MOMENT, "cutoff")]
    past.moments(moments)
    _, histories = written(past, LATER - TICK)
    assert [row["event_ids"] for row in histories] == [[f"u0-e{n}" for n in range(3)]]


def test_the_manifest_tells_what_is_in_the_folder(past: World) -> None:
    manifest, histories = written(past, LATER)
    assert manifest["cut_at"] == LATER.isoformat()
    assert manifest["as_of"] == LATER.isoformat()
    assert (manifest["users"], manifest["places"], manifest["events"]) == (2, 3, 6)
    assert manifest["events_left_out"] == 1
    assert manifest["is_time_synthetic"] is False
    assert sum(len(row["event_ids"]) for row in histories) == 6
    folder = past.root / "training_sets" / manifest["hash"][:16]
    places = pq.read_table(folder / "places.parquet")
    assert places.schema.names == training.PLACES.names
    assert places["place_id"].to_pylist() == ["p0", "p1", "p2"]


def test_the_same_facts_make_the_same_folder_whatever_the_chunks(
    past: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = written(past, LATER)
    monkeypatch.setattr(training, "MOMENTS_AT_A_TIME", 1)
    second, histories = written(past, LATER)
    assert second == first
    assert len(histories) == 2
    assert len(list((past.root / "training_sets").iterdir())) == 1


def test_without_a_cut_off_or_anybody_the_set_is_refused(past: World) -> None:
    with pytest.raises(TrainingSetError, match="nobody has events known at"):
        written(past, MOMENT - DAY)
    past.moments([("u0", LATER, "current"), ("u0", LATER + DAY, "cutoff")])
    with pytest.raises(TrainingSetError, match="no cut-off"):
        written(past, LATER)
    assert list((past.root / "training_sets").iterdir()) == []


def test_where_nobody_was_known_before_the_cut_it_is_where_the_last_tenth_begins(
    past: World,
) -> None:
    """As after a first file of one moment: there is no cut-off at all."""
    past.moments([("u0", LATER, "current")])
    manifest, histories = written(past, LATER)
    assert len(histories) == 1
    assert datetime.fromisoformat(manifest["cut_at"]) == LATER


def test_of_one_moment_the_order_that_the_source_tells_decides_then_the_md5_of_the_id(
    past: World,
) -> None:
    """Over the windows as within each."""
    for row in past.rows["user_favor"]:
        row["event_ats"] = [7] * len(row["event_ats"])
    past.write()
    _, (history, _) = written(past, LATER)
    by_md5 = sorted((f"u0-e{n}" for n in range(5)), key=md5)
    assert history["event_ids"] == by_md5
    assert by_md5 != sorted(by_md5)
    past.events([MOMENT] * 5, orders=[4.0, 3.0, 2.0, 1.0, None])
    _, (history, _) = written(past, LATER)
    assert history["event_ids"] == [f"u0-e{n}" for n in (3, 2, 1, 0, 4)]


def test_places_are_as_they_were_known_at_the_cut(past: World) -> None:
    """A category told after the cut would tell of what is held out; so would a place told then."""
    before = {"known_at": MOMENT - DAY, "category_codes": ["cafe"]}
    after = {"known_at": LATER, "category_codes": ["closed"]}
    past.rows["place"] = [place("p0") | after, place("p0") | before, place("p1") | after]
    past.write()
    assert codes_of_places(past) == {"p0": (["cafe"], ["closed"]), "p1": ([], ["closed"])}
    both = {name: (["closed"], ["closed"]) for name in ("p0", "p1")}
    # Where times are made up, or nobody was known before the cut, there is no such moment.
    favors = [row | {"is_time_synthetic": True} for row in past.rows["user_favor"]]
    past.rows["user_favor"] = favors
    past.write()
    assert codes_of_places(past) == both
    past.rows["user_favor"] = [row | {"is_time_synthetic": False} for row in favors]
    past.write().moments([("u0", LATER, "current")])
    assert codes_of_places(past) == both


def test_events_of_an_earlier_version_are_to_be_built_again(past: World) -> None:
    past.events([MOMENT])
    path = past.root / "marts" / "fct_events.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["is_counted", "event_order"]), path)
    with pytest.raises(TrainingSetError, match=r"earlier version\. Build again: tastemate build"):
        written(past, LATER)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - an order, no secret


def codes_of_places(world: World) -> dict[str, tuple[list[str], list[str]]]:
    """Tell of each place what is learned from, and what was known as of the set."""
    manifest, _ = written(world, LATER)
    folder = world.root / "training_sets" / manifest["hash"][:16]
    rows = pq.read_table(folder / "places.parquet").to_pylist()
    return {row["place_id"]: (row["category_codes"], row["current_category_codes"]) for row in rows}


def asked(world: World, moment: datetime) -> Any:
    entities = pa.table(
        {"user_id": ["u0"], "event_timestamp": pa.array([moment], pa.timestamp("us", tz="UTC"))}
    )
    answer = point_in_time(open_store(world.root), entities, "tastemate_v1")
    return answer["event_ids"].to_pylist()[0]


def written(world: World, as_of: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    out: Path = world.root / "training_sets"
    folder = write_training_set(world.root, out, as_of)
    manifest = json.loads((folder / "manifest.json").read_text())
    return manifest, pq.read_table(folder / "histories.parquet").to_pylist()
