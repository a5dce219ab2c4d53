import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import ContractError, read_views
from feature_repo.feature_types import FEATURE_TYPES, SYNONYMS, canonical
from tests.feature_repo.conftest import World


def test_a_view_is_what_its_yaml_says(world: World) -> None:
    world.meta["place"] |= {
        "ttl": 30,
        "owner": "data",
        "pii": "none",
        "exclude": ["event_count"],
        "online": False,
    }
    view = read_views(world.write().root)[0]
    assert (view.name, view.entity, view.key.name) == ("place", "place", "place_id")
    assert (view.ttl.days, view.owner, view.online) == (30, "data", False)
    assert view.service == "tastemate_places_v1"
    assert view.features[0].description == "What category_codes says."
    assert [column.name for column in view.features] == [
        "category_codes",
        "district_code",
        "latitude",
        "longitude",
    ]


def test_models_without_feast_in_their_meta_are_no_views(world: World) -> None:
    world.meta["place"] = {}
    assert [view.name for view in read_views(world.write().root)] == ["user_favor"]


def test_an_unsupported_type_names_file_column_type_and_what_to_use(world: World) -> None:
    world.columns["place"]["price"] = "decimal(10,2)"
    world.rows["place"] = []
    with pytest.raises(ContractError) as refused:
        read_views(world.write_manifest().root)
    told = str(refused.value)
    assert "models/features/place.yml: column 'price' has data_type 'decimal(10,2)'" in told
    assert "'double'" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"entity": ""}, "lacks ['entity']"),
        ({"service": ""}, "lacks ['service']"),
        ({"entity": "shop"}, "has no column ['shop_id']"),
        ({"exclude": ["nothing"]}, "has no column ['nothing']"),
        ({"timestamp": "event_count"}, "It must be timestamptz"),
        ({"ttl_days": 3}, "has ['ttl_days']"),
        ({"tll": None}, "has ['tll']"),
        ({"ttl": "soon"}, "ttl is 'soon': Input should be a valid number"),
        ({"exclude": "event_count"}, "exclude is 'event_count': Input should be a valid list"),
    ],
)
def test_meta_that_cannot_be_used_is_refused(
    world: World, change: dict[str, object], told: str
) -> None:
    world.meta["place"] |= change
    with pytest.raises(ContractError, match=told.replace("[", r"\[")):
        read_views(world.write().root)


def test_what_is_left_empty_in_the_yaml_is_not_told(world: World) -> None:
    world.meta["place"] |= {"ttl": None, "online": None, "owner": None, "pii": None}
    view = read_views(world.write().root)[0]
    assert (view.ttl.days, view.online, view.owner, view.tags["pii"]) == (0, False, "", "none")


@pytest.mark.parametrize(("text", "where"), [("{", "the file"), ('{"nodes": [1]}', "nodes")])
def test_what_is_no_manifest_is_told_by_its_path(world: World, text: str, where: str) -> None:
    path = world.write().root / "dbt" / "target" / "manifest.json"
    path.write_text(text)
    with pytest.raises(ContractError, match=f"manifest.json: this is no dbt manifest: {where}: "):
        read_views(world.root)


def test_a_contract_that_is_not_enforced_is_refused(world: World) -> None:
    world.write()
    path = world.root / "dbt" / "target" / "manifest.json"
    path.write_text(path.read_text().replace('"enforced": true', '"enforced": false'))
    with pytest.raises(ContractError, match="no enforced contract"):
        read_views(world.root)


def test_a_file_that_is_not_as_the_contract_says_is_refused(world: World) -> None:
    world.write()
    path = world.root / "features" / "place.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(6, "event_count", pa.array([1.0] * len(table))), path)
    with pytest.raises(ContractError, match="'event_count' is double, the contract says int64"):
        read_views(world.root)
    pq.write_table(table.drop_columns(["latitude"]), path)
    with pytest.raises(ContractError, match="'latitude' of the contract is missing"):
        read_views(world.root)


def test_without_a_manifest_the_command_that_makes_it_is_told(world: World) -> None:
    with pytest.raises(ContractError, match="tastemate build"):
        read_views(world.root)


def test_the_manifest_is_found_where_dbt_was_told_to_put_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write()
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "manifest.json").write_text(json.dumps({"nodes": {}}))
    monkeypatch.setenv("DBT_TARGET_PATH", str(elsewhere))
    assert read_views(world.root) == []


@given(
    st.sampled_from([*FEATURE_TYPES, *SYNONYMS]),
    st.sampled_from(["", " "]),
    st.booleans(),
)
def test_a_type_is_known_however_it_is_spelled(name: str, space: str, upper: bool) -> None:  # noqa: FBT001
    spelled = space + (name.upper() if upper else name) + space
    assert canonical(spelled) in FEATURE_TYPES
    assert canonical(canonical(spelled)) == canonical(spelled)
