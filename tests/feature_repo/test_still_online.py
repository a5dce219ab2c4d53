"""Whether the store in use still holds what was put there."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import redis
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.errors import TooManyOfflineError
from feature_repo.layout import Layout
from feature_repo.publish import publish
from feature_repo.still_online import lost_online, never_filled, serialized
from tests.feature_repo.conftest import World, favor


@pytest.fixture
def published(world: World, online: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home with forty people and three places, all of them online."""
    monkeypatch.setenv("TASTEMATE_ONLINE", online)
    world.rows["user_favor"] = [favor(f"u{n}", 2) for n in range(40)]
    world.apply(online)
    publish(world.root)
    return world


def forget_what_is_there(world: World, online: str, *, keep_marks: bool, people: int = 40) -> None:
    """Take rows out as an eviction, or an empty store after a restart, does."""
    if online:
        client = redis.Redis.from_url(online)
        if not keep_marks:
            client.flushall()
        for number in range(people):
            client.delete(serialized("user_id", f"u{number}") + b"tastemate")
        return
    with closing(sqlite3.connect(Layout(world.root).online_store)) as database, database:
        for number in range(people):
            database.execute(
                "delete from tastemate_user_favor where entity_key = ?",
                (serialized("user_id", f"u{number}"),),
            )
        if not keep_marks:
            database.execute("drop table tastemate_marks")


def test_what_was_published_is_still_there(published: World) -> None:
    assert lost_online(published.root) == []


def test_a_store_that_comes_back_empty_is_seen(published: World, online: str) -> None:
    forget_what_is_there(published, online, keep_marks=False)
    place, user_favor = lost_online(published.root)
    assert place == "place: the online store was emptied or replaced since it was published"
    assert user_favor.startswith("user_favor: ")
    publish(published.root)
    assert lost_online(published.root) == []


def test_a_store_that_evicts_keys_is_seen(published: World, online: str) -> None:
    forget_what_is_there(published, online, keep_marks=True, people=10)
    (told,) = lost_online(published.root)
    assert told.startswith("user_favor: of 40 keys that were published, 10 are no longer online ")


def test_rows_that_somebody_has_put_back_to_an_earlier_moment_are_seen(
    published: World, online: str
) -> None:
    """As `feast materialize` does that is given an end before the newest rows."""
    older = Timestamp(seconds=946_684_800)
    if online:
        client = redis.Redis.from_url(online)
        for number in range(7):
            key = serialized("user_id", f"u{number}") + b"tastemate"
            client.hset(key, "_ts:user_favor", older.SerializeToString())
    else:
        with closing(sqlite3.connect(Layout(published.root).online_store)) as database, database:
            database.executemany(
                "update tastemate_user_favor set event_ts = ? where entity_key = ?",
                [(older.seconds, serialized("user_id", f"u{number}")) for number in range(7)],
            )
    (told,) = lost_online(published.root)
    assert told.startswith(
        "user_favor: of 40 keys that were published, 7 are online as of an earlier "
    )


def test_a_home_that_was_moved_knows_its_own_store(world: World, tmp_path: Path) -> None:
    world.rows["user_favor"] = [favor(f"u{n}", 2) for n in range(40)]
    world.apply("")
    publish(world.root)
    moved = World(Path(shutil.copytree(world.root, tmp_path / "moved")))
    assert never_filled(moved.root) is None
    assert lost_online(moved.root) == []
    forget_what_is_there(moved, "", keep_marks=True, people=10)
    (told,) = lost_online(moved.root)
    assert told.startswith("user_favor: of 40 keys that were published, 10 are no longer online")


def test_an_online_store_whose_file_is_gone_is_seen(world: World) -> None:
    world.apply("")
    publish(world.root)
    Layout(world.root).online_store.unlink()
    assert len(lost_online(world.root)) == 2
    assert not Layout(world.root).online_store.exists()


def test_a_store_that_nothing_was_put_into_has_lost_nothing(
    published: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert never_filled(published.root) is None
    monkeypatch.setenv("TASTEMATE_ONLINE", "redis://127.0.0.1:9/7")
    assert lost_online(published.root) == []
    assert never_filled(published.root) == "redis:127.0.0.1:9,db=7"


def test_keys_that_are_not_published_yet_are_not_missed(published: World, online: str) -> None:
    """As after a build whose run was killed before it published."""
    published.rows["user_favor"].append(favor("u40", 3))
    published.write()
    assert lost_online(published.root) != []
    assert lost_online(published.root, are_published=False) == []
    forget_what_is_there(published, online, keep_marks=False)
    assert len(lost_online(published.root, are_published=False)) == 2


KEYS = st.text(max_size=40) | st.integers(-(2**63), 2**63 - 1)


@given(name=st.text(min_size=1, max_size=20), key=KEYS)
def test_a_key_is_written_as_feast_writes_it(name: str, key: str | int) -> None:
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    value = Value(string_val=key) if isinstance(key, str) else Value(int64_val=key)
    feasts = EntityKey(join_keys=[name], entity_values=[value])
    assert serialized(name, key) == serialize_entity_key(feasts)


def test_many_keys_are_not_taken_offline_unasked(published: World) -> None:
    published.rows["user_favor"] = published.rows["user_favor"][:2]
    published.write()
    with pytest.raises(TooManyOfflineError, match="lacks 38 of the 40 keys") as refusal:
        publish(published.root)
    assert "--take-offline" in str(refusal.value)
    assert lost_online(published.root) == []
    assert publish(published.root, may_take_offline=True).deleted == 38


@pytest.mark.parametrize(("gone", "is_refused"), [(2, False), (3, True)])
def test_five_in_a_hundred_may_go(published: World, gone: int, *, is_refused: bool) -> None:
    published.rows["user_favor"] = published.rows["user_favor"][gone:]
    published.write()
    if is_refused:
        with pytest.raises(TooManyOfflineError):
            publish(published.root)
    else:
        assert publish(published.root).deleted == gone
