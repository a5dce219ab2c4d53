import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from feature_repo import frozen, publish
from feature_repo.reader import OnlineReader, OnlineStoreUnavailable, open_readers
from feature_repo.settings import open_store
from tests.feature_repo.conftest import DAY, MOMENT, World, empty, favor


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than a request would: a busy machine is late without being away."""
    monkeypatch.setattr("feature_repo.reader.REQUEST_PATIENCE_S", 1.0)


def test_a_row_comes_back_as_dbt_handed_it_on(world: World, online: str) -> None:
    row = opened(world.apply(online), online).read(["u2"])["u2"]
    wanted = favor("u2", 3)
    if not online:
        # Feast's SQLite store keeps whole seconds of an event's time.
        wanted["known_at"] = wanted["known_at"].replace(microsecond=0)
    assert row == wanted


def test_an_unknown_user_has_no_row(world: World, online: str) -> None:
    assert list(opened(world.apply(online), online).read(["nobody", "u1", "none"])) == ["u1"]


def test_a_store_that_was_emptied_is_told_from_one_that_does_not_know(
    world: World, online: str
) -> None:
    reader = opened(world.apply(online), online)
    assert reader.read(["nobody"]) == {}
    reader.refuse_if_emptied()
    empty(world, online)
    assert reader.read(["u0"]) == {}
    with pytest.raises(OnlineStoreUnavailable, match="was emptied"):
        reader.refuse_if_emptied()


def test_a_file_that_was_replaced_is_read_anew(world: World, tmp_path: Path) -> None:
    reader = opened(world.apply(), "")
    assert reader.read(["u2"])
    path = world.root / "feast" / "online.db"
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as there, closing(sqlite3.connect(other)) as copy:
        there.backup(copy)
        copy.execute("delete from tastemate_user_favor")
        copy.commit()
    for part in ("", "-wal", "-shm"):
        Path(f"{path}{part}").unlink(missing_ok=True)
    # The open file would still answer, with what is true no more.
    with pytest.raises(OnlineStoreUnavailable, match="tastemate apply"):
        reader.read(["u2"])
    assert not path.exists()
    other.rename(path)
    assert reader.read(["u2"]) == {}


def test_a_file_that_is_no_database_is_a_store_that_does_not_answer(world: World) -> None:
    reader = opened(world.apply(), "")
    path = world.root / "feast" / "online.db"
    for part in ("-wal", "-shm"):
        Path(f"{path}{part}").unlink(missing_ok=True)
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(OnlineStoreUnavailable, match="is damaged"):
        reader.read(["u2"])


def test_nothing_asked_is_nothing_answered(world: World) -> None:
    assert opened(world.apply(), "").read([]) == {}


def test_what_is_older_than_its_ttl_counts_as_not_there(world: World, online: str) -> None:
    world.meta["user_favor"]["ttl"] = 2
    reader = opened(world.apply(online), online)
    assert reader.read(["u0"], MOMENT + 2 * DAY - timedelta(seconds=1))
    assert not reader.read(["u0"], MOMENT + 2 * DAY + timedelta(seconds=1))


def test_a_column_added_in_sql_reaches_reader_and_stock_sdk(world: World, online: str) -> None:
    old = opened(world.apply(online), online)
    world.columns["user_favor"]["visit_count"] = "bigint"
    world.rows["user_favor"] = [row | {"visit_count": 41} for row in world.rows["user_favor"]]
    new = opened(world.apply(online), online)
    assert new.read(["u1"])["u1"]["visit_count"] == 41
    assert "visit_count" not in old.read(["u1"])["u1"]
    answer = open_store(world.root, online).get_online_features(
        features=["user_favor:visit_count"], entity_rows=[{"user_id": "u1"}]
    )
    assert answer.to_dict()["visit_count"] == [41]


def test_a_second_view_on_the_service_knows_other_keys(world: World, online: str) -> None:
    """Of a user whom only it knows, the columns of the first are there and empty."""
    world.columns["user_mood"] = {
        "user_id": "varchar", "known_at": "timestamptz", "mood": "varchar"
    }  # fmt: skip
    world.meta["user_mood"] = world.meta["user_favor"]
    world.rows["user_mood"] = [
        {"user_id": user, "known_at": MOMENT + DAY, "mood": "merry"} for user in ("u1", "new")
    ]
    rows = opened(world.apply(online), online).read(["u0", "u1", "new"])
    assert [rows[user]["mood"] for user in ("u0", "u1", "new")] == [None, "merry", "merry"]
    assert rows["u1"]["event_place_ids"] == favor("u1", 2)["event_place_ids"]
    assert rows["new"]["event_place_ids"] is None


def test_a_column_taken_away_does_not_hold_the_time_back(world: World, online: str) -> None:
    opened(world.apply(online), online)
    del world.columns["user_favor"]["event_ats"]
    later = MOMENT + DAY
    world.rows["user_favor"] = [favor("u1", 2, later)]
    for row in world.rows["user_favor"]:
        del row["event_ats"]
    row = opened(world.apply(online), online).read(["u1"])["u1"]
    assert row["known_at"].replace(microsecond=0) == later.replace(microsecond=0)


@pytest.mark.redis
def test_a_redis_that_hangs_is_given_up_at_once(world: World, redis_url: str, redis_server) -> None:
    reader = opened(world.apply(redis_url), redis_url)
    reader.read(["u1"])
    os.kill(redis_server.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(OnlineStoreUnavailable):
            reader.read(["u1"])
        waited = time.monotonic() - started
    finally:
        os.kill(redis_server.pid, signal.SIGCONT)
    # The library's own waits would be half a minute.
    assert waited < 5
    assert reader.read(["u1"])


def test_the_frozen_registry_is_the_same_bytes_in_every_home(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        frozen.freeze(World(tmp_path / name).apply().root, tmp_path / name / "frozen")
    for file in (frozen.REGISTRY, frozen.SCHEMA):
        one, two = (tmp_path / name / "frozen" / file for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        assert str(tmp_path).encode() not in one.read_bytes()


def test_publishing_leaves_the_frozen_registry_as_it_is(world: World) -> None:
    world.apply()
    frozen.freeze(world.root, world.root / "before")
    publish.publish(world.root)
    open_store(world.root).materialize(MOMENT - DAY, MOMENT + DAY)
    frozen.freeze(world.root, world.root / "after")
    before, after = (world.root / name / frozen.REGISTRY for name in ("before", "after"))
    assert before.read_bytes() == after.read_bytes()


def opened(world: World, online: str) -> OnlineReader:
    """Publish, freeze and read, as a release does."""
    publish.publish(world.root, online=online, may_take_offline=True)
    # A release has a folder of its own, which never changes.
    folder = world.root / f"release-{len(list(world.root.glob('release-*')))}"
    frozen.freeze(world.root, folder)
    registry = folder / frozen.REGISTRY
    return open_readers(registry, world.root, ["tastemate_v1"], online)[0]
