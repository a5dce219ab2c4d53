from datetime import timedelta

import pyarrow as pa
import pytest

from feature_repo import parity, publish
from feature_repo.contract import read_views
from feature_repo.online import OnlineStoreUnavailable, open_online
from feature_repo.protos import rows
from feature_repo.settings import open_store
from tests.feature_repo.conftest import COLUMNS, MOMENT, World, arrow_type, favor


def test_each_kind_of_difference_is_counted_and_named(world: World, online: str) -> None:
    world.apply(online)
    publish.publish(world.root, online=online)
    target = open_online(open_store(world.root, online))
    view = next(view for view in read_views(world.root) if view.name == "user_favor")
    schema = pa.schema([(name, arrow_type(kind)) for name, kind in COLUMNS["user_favor"].items()])
    wrong = [favor("u1", 1), favor("u2", 3, MOMENT + timedelta(seconds=1)), favor("stranger", 1)]
    target.write(view, rows(view, pa.RecordBatch.from_pylist(wrong, schema)))
    target.delete(view, ["u0"])
    report = parity.check(world.root, online=online)
    assert (report.equal, report.different, report.missing, report.extra) == (4, 2, 1, 1)
    assert report.keys == 8
    assert not report.holds
    told = " / ".join(report.examples)
    assert "user_favor 'u0' is not online" in told
    assert "user_favor 'stranger' is online only" in told
    assert "user_favor 'u1' differs in event_place_ids, event_kinds" in told
    assert "'u2' differs in event_ats, known_at" in told


def test_numbers_that_are_not_numbers_are_equal_to_themselves(world: World) -> None:
    world.rows["place"][0]["latitude"] = float("nan")
    world.apply()
    publish.publish(world.root)
    assert parity.check(world.root).holds


def test_a_sample_looks_at_some_keys_of_each_view(world: World) -> None:
    world.apply()
    publish.publish(world.root)
    assert parity.check(world.root, sample=2).equal == 4


def test_a_store_that_is_away_is_said_to_be_away(world: World) -> None:
    world.apply()
    with pytest.raises(OnlineStoreUnavailable, match="TASTEMATE_ONLINE"):
        parity.check(world.root, online="redis://127.0.0.1:1/0")
