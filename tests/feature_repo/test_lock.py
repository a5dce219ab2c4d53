from functools import partial

import pytest
from click.testing import CliRunner

from feature_repo import lock
from feature_repo.settings import open_store
from orchestration.cli import main
from tests.feature_repo.conftest import World


def test_what_was_accepted_is_applied(world: World) -> None:
    world.apply()
    store = open_store(world.root)
    assert {view.name for view in store.list_feature_views()} == {"user_favor", "place"}
    assert {service.name for service in store.list_feature_services()} == {
        "tastemate_v1",
        "tastemate_places_v1",
    }
    described = store.get_feature_view("place").schema
    assert "What latitude says." in {field.description for field in described}


def test_an_unseen_column_is_refused_by_name(world: World) -> None:
    world.apply()
    world.columns["place"]["opening_year"] = "integer"
    world.write()
    with pytest.raises(lock.LockError) as refused:
        lock.apply(world.root, world.lock)
    assert refused.value.differences == ["view 'place': column 'opening_year' (integer) is new"]
    assert "tastemate plan --accept" in str(refused.value)


def test_each_difference_is_told(world: World) -> None:
    world.apply()
    world.columns["user_favor"]["event_ats"] = "double[]"
    del world.columns["user_favor"]["event_kinds"]
    world.meta["user_favor"]["service"] = "tastemate_v2"
    del world.columns["place"], world.meta["place"], world.rows["place"]
    world.rows["user_favor"] = []
    found = lock.plan(world.write().root, world.lock)
    assert found == [
        "view 'place' is gone",
        "view 'user_favor': service is 'tastemate_v2', agreed was 'tastemate_v1'",
        "view 'user_favor': column 'event_kinds' is gone",
        (
            "view 'user_favor': column 'event_ats' is double[], agreed was bigint[]; "
            "a retyped feature is a new view beside the old"
        ),
    ]


def test_a_lock_that_was_edited_by_hand_is_told_by_its_place(world: World) -> None:
    world.apply()
    world.lock.write_text(world.lock.read_text().replace('"ttl_days": 0', '"ttl_days": "never"', 1))
    with pytest.raises(lock.LockFileError, match=r"features\.lock\.json.* place\.ttl_days: "):
        lock.plan(world.root, world.lock)
    world.lock.write_text('{"place": {}, "user_favor": {}}')
    assert "view 'place': entity is 'place', agreed was None" in lock.plan(world.root, world.lock)


def test_the_command_fails_where_the_lock_says_otherwise(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply()
    monkeypatch.setattr("orchestration.warehouse.dbt_command.ensure_manifest", lambda _: None)
    for verb in ("plan", "accept"):
        monkeypatch.setattr(lock, verb, partial(getattr(lock, verb), lock=world.lock))

    def exit_code(*options: str) -> int:
        return CliRunner().invoke(main, ["--home", str(world.root), "plan", *options]).exit_code

    assert exit_code() == 0
    world.columns["place"]["opening_year"] = "integer"
    world.write()
    assert exit_code() == exit_code("--json") == 1
    assert exit_code("--accept") == exit_code() == 0


def test_another_order_of_columns_is_a_difference(world: World) -> None:
    world.apply()
    first = world.columns["place"].pop("category_codes")
    world.columns["place"]["category_codes"] = first
    assert lock.plan(world.write().root, world.lock) == [
        "view 'place': the columns stand in another order"
    ]


def test_accepting_tells_what_has_changed_and_ends_the_difference(world: World) -> None:
    world.write()
    assert lock.accept(world.root, world.lock) == [
        "view 'place' is new",
        "view 'user_favor' is new",
    ]
    assert lock.plan(world.root, world.lock) == []


def test_a_view_that_is_gone_leaves_the_registry(world: World) -> None:
    world.apply()
    del world.columns["place"], world.meta["place"], world.rows["place"]
    world.apply()
    store = open_store(world.root)
    assert [view.name for view in store.list_feature_views()] == ["user_favor"]
    assert [service.name for service in store.list_feature_services()] == ["tastemate_v1"]
    assert "place" not in {entity.name for entity in store.list_entities()}
