"""Rules that every model keeps, read from dbt's manifest."""

import json
import re
from typing import Any

HANDED_ON = {"marts", "features"}


def test_every_model_and_column_is_described_and_tells_its_grain(mixed: Any) -> None:
    for node in _models(mixed):
        last_sentence = node["description"].strip().rsplit(". ", 1)[-1]
        assert last_sentence.startswith("One row per "), node["name"]
        undescribed = [name for name, it in node["columns"].items() if not it["description"]]
        assert not undescribed, node["name"]
        assert set(node["columns"]) == _columns(mixed, node), node["name"]


def test_marts_and_features_have_enforced_contracts_and_are_handed_on(mixed: Any) -> None:
    for node in _models(mixed):
        if node["fqn"][1] in HANDED_ON:
            assert node["config"]["contract"]["enforced"], node["name"]
            assert (mixed.home / node["fqn"][1] / f"{node['name']}.parquet").exists()


def test_every_model_that_reckons_has_a_unit_test(mixed: Any) -> None:
    tested = {test["model"] for test in _manifest(mixed)["unit_tests"].values()}
    plain = {"stg_ledger__fields", "int_lines_judged"}
    assert {node["name"] for node in _models(mixed)} - plain == tested


def test_every_unit_test_says_why_it_is_there(mixed: Any) -> None:
    tests = _manifest(mixed)["unit_tests"].values()
    assert [test["name"] for test in tests if not test["description"]] == []


def test_dbts_page_opens_on_ours_which_leads_to_every_mart_and_feature(mixed: Any) -> None:
    manifest = _manifest(mixed)
    page = manifest["docs"]["doc.tastemate.__overview__"]["block_contents"]
    targets = set(re.findall(r"\]\(#!/\w+/([\w.]+)\)", page))
    assert targets <= {*manifest["nodes"], *manifest["sources"], *manifest["exposures"]}
    queried = {node["unique_id"] for node in _models(mixed) if node["fqn"][1] in HANDED_ON}
    assert queried | set(manifest["sources"]) <= targets


def _manifest(built: Any) -> dict[str, Any]:
    return dict(json.loads((built.home / "dbt" / "target" / "manifest.json").read_bytes()))


def _models(built: Any) -> list[dict[str, Any]]:
    nodes = _manifest(built)["nodes"].values()
    return [node for node in nodes if node["resource_type"] == "model"]


def _columns(built: Any, node: dict[str, Any]) -> set[str]:
    import duckdb

    with duckdb.connect(built.home / "warehouse" / "warehouse.duckdb", read_only=True) as warehouse:
        described = warehouse.execute(f"describe {node['schema']}.{node['name']}").fetchall()
    return {name for name, *_ in described}
