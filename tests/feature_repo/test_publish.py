import os
import signal
from collections.abc import Callable

import pytest

from feature_repo import parity, publish
from feature_repo.contract import read_views
from feature_repo.errors import FeatureRowsError, FeatureValueError, PublishingElsewhereError
from feature_repo.online import OnlineStore, open_online
from feature_repo.publish import PublishReport
from feature_repo.settings import open_store
from tests.feature_repo.conftest import DAY, MOMENT, World, empty, favor


def test_every_current_row_goes_online_once(world: World, online: str) -> None:
    world.apply(online)
    first = publish.publish(world.root, online=online)
    second = publish.publish(world.root, online=online)
    assert (first.rows, first.unchanged) == (7, 0)
    assert (second.rows, second.unchanged) == (0, 7)
    assert parity.check(world.root, online=online).holds


def test_a_key_has_its_newest_row_online(world: World, online: str) -> None:
    world.rows["user_favor"].insert(0, favor("u0", 5, MOMENT + DAY))
    world.apply(online)
    publish.publish(world.root, online=online)
    assert event_ids(world, online, "u0") == [f"u0-e{n}" for n in range(5)]


def test_a_correction_with_the_same_timestamp_goes_online(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    world.rows["user_favor"][0] = favor("u0", 1, first=9)
    world.write()
    assert publish.publish(world.root, online=online).rows == 1
    assert event_ids(world, online, "u0") == ["u0-e9"]
    assert parity.check(world.root, online=online).holds


def test_an_older_row_replaces_a_newer_one_that_is_gone(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    world.rows["user_favor"][1] = favor("u1", 1, MOMENT - DAY)
    world.write()
    publish.publish(world.root, online=online)
    assert event_ids(world, online, "u1") == ["u1-e0"]
    assert parity.check(world.root, online=online).holds


def test_a_row_that_is_gone_offline_is_deleted_online(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    del world.rows["user_favor"][2]
    world.write()
    assert publish.publish(world.root, online=online).deleted == 1
    assert event_ids(world, online, "u2") is None
    assert parity.check(world.root, online=online).holds


def test_a_null_list_and_an_empty_one_are_different_values(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    world.rows["place"][0]["category_codes"] = []
    world.write()
    publish.publish(world.root, online=online)
    world.rows["place"][0]["category_codes"] = None
    world.write()
    assert publish.publish(world.root, online=online).rows == 1
    assert parity.check(world.root, online=online).holds


def test_a_store_that_was_emptied_is_filled_anew(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    empty(world, online)
    assert publish.publish(world.root, online=online).rows == 7
    assert parity.check(world.root, online=online).holds


def test_a_lost_state_leaves_no_row_of_somebody_who_is_gone(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    for path in (world.root / "feast" / "published").iterdir():
        path.unlink()
    del world.rows["user_favor"][2]
    world.write()
    report = publish.publish(world.root, online=online)
    assert (report.rows, report.deleted) == (6, 1)
    assert parity.check(world.root, online=online).holds


def test_a_full_publish_mends_what_somebody_wrote_by_hand(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    with_store(world, online, lambda store: store.delete(read_views(world.root)[1], ["u3"]))
    assert publish.publish(world.root, online=online).rows == 0
    assert parity.check(world.root, online=online).missing == 1
    publish.publish(world.root, online=online, full=True)
    assert parity.check(world.root, online=online).holds


def test_two_stores_of_one_home_are_kept_apart(world: World, redis_url: str) -> None:
    world.apply("")
    publish.publish(world.root, online="")
    assert publish.publish(world.root, online=redis_url).rows == 7
    assert publish.publish(world.root, online="").rows == 0
    assert parity.check(world.root, online=redis_url).holds


@pytest.mark.parametrize(
    "after_s",
    [
        0.0,
        0.1,
        *(
            pytest.param(after_s, marks=pytest.mark.slow)
            for after_s in (0.03, 0.06, 0.15, 0.2, 0.3)
        ),
    ],
)
def test_a_kill_at_any_moment_is_mended_by_the_next_run(
    world: World, online: str, after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "CHUNK", 20)
    world.rows["user_favor"] = [favor(f"u{n:03}", 3) for n in range(100)]
    world.apply(online)
    publish.publish(world.root, online=online)
    before = list(world.rows["user_favor"])
    world.rows["user_favor"] = [favor(f"u{n:03}", 3, first=5) for n in range(95)]
    world.write()
    kill_while(lambda: publish.publish(world.root, online=online), after_s)
    # Back to what the state of before the kill believes to be online.
    world.rows["user_favor"] = before[:95]
    world.write()
    publish.publish(world.root, online=online)
    assert parity.check(world.root, online=online).holds


def test_two_publishers_at_once_are_refused(world: World) -> None:
    world.apply()
    refused = []

    def publish_meanwhile(_view: str, _done: int, _todo: int) -> None:
        with pytest.raises(PublishingElsewhereError):
            publish.publish(world.root)
        refused.append(True)

    publish.publish(world.root, progress=publish_meanwhile)
    assert refused


def test_two_rows_of_one_key_and_moment_are_refused(world: World) -> None:
    world.rows["user_favor"].append(favor("u0", 9))
    world.apply()
    with pytest.raises(FeatureRowsError, match="'u0' has several rows at"):
        publish.publish(world.root)


def test_a_null_inside_a_list_is_refused_by_name(world: World) -> None:
    world.rows["user_favor"][0]["event_ratings"] = [None]
    world.apply()
    with pytest.raises(FeatureValueError, match="'event_ratings' of 'u0' has a null"):
        publish.publish(world.root)


def test_progress_and_report_count_the_rows(world: World) -> None:
    world.apply()
    told: list[tuple[str, int, int]] = []
    report = publish.publish(world.root, progress=lambda *step: told.append(step))
    assert told == [("place", 3, 3), ("user_favor", 4, 4)]
    assert report == PublishReport(7, report.bytes, 0, 0, report.seconds)
    assert report.bytes > 0


def event_ids(world: World, online: str, user: str) -> list[str] | None:
    """Read by the stock SDK."""
    answer = open_store(world.root, online).get_online_features(
        features=["user_favor:event_ids"], entity_rows=[{"user_id": user}]
    )
    found: list[str] | None = answer.to_dict()["event_ids"][0]
    return found


def with_store(world: World, online: str, act: Callable[[OnlineStore], None]) -> None:
    act(open_online(open_store(world.root, online)))


def kill_while(act: Callable[[], object], after_s: float) -> None:
    """Run *act* in a process that dies *after_s* into it, without a chance to tidy up."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, after_s or 1e-6)
        # Whatever happens, the copy of the tests must not go on with them.
        try:
            act()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
