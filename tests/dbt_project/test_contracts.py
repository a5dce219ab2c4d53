"""The test that holds producers to what they promised: its SQL alone, and within a build."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from orchestration.landing import land
from orchestration.landing.mapping import SAMPLE
from orchestration.warehouse.dbt_command import DbtError, run_dbt
from serving.home import Home

SQL = Path(__file__).parents[2] / "dbt_project/tests/assert_producers_keep_their_contracts.sql"
CHANGES = """
create table fct_schema_changes as
select *, 'likes' as kind
from (values
    ('sample', 'new_field', 'note', date '2026-02-01'),
    ('sample', 'vanished_field', 'rating', date '2026-02-01'),
    ('bookings', 'changed_type', 'at', date '2026-01-31')
) as changes (source, change_kind, field, landed_date)
"""


@pytest.mark.parametrize(
    ("contracts", "broken"),
    [
        ([], set()),
        ([("sample", ["vanished_field", "changed_type"], "2026-01-31")], {"rating"}),
        ([("sample", ["new_field"], "2026-02-01")], set()),
        (
            [("sample", ["new_field"], "2025-01-01"), ("bookings", ["changed_type"], "2026-01-01")],
            {"note", "at"},
        ),
    ],
)
def test_a_change_breaks_a_contract_that_names_it(
    contracts: list[tuple[str, list[str], str]], broken: set[str]
) -> None:
    promised: list[dict[str, Any]] = [
        {"source": source, "kind": "likes", "changes": changes, "after": after}
        for source, changes, after in contracts
    ]
    template = Environment(autoescape=False).from_string(SQL.read_text())  # noqa: S701 - SQL, no page
    sql = template.render(ref=lambda name: name, var=lambda _: promised)
    with duckdb.connect() as connection:
        connection.execute(CHANGES)
        rows = connection.execute(f"select field from ({sql})").fetchall()
    assert {field for (field,) in rows} == broken


@pytest.mark.slow
def test_a_landing_that_breaks_a_contract_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    for day, more in (1, {}), (2, {"note": "x"}):
        likes = [
            {"_id": f"{day:012}{n:012}", "user_id": "ann", "contents_id": "p1",
             "like_time": f"2026-02-0{day}T00:00:00Z"} | more
            for n in range(20)
        ]  # fmt: skip
        documents = tmp_path / str(day)
        documents.mkdir()
        (documents / "likes.jsonl").write_text("\n".join(map(json.dumps, likes)))
        monkeypatch.setenv("TASTEMATE_NOW", f"2026-02-0{day}T03:00:00Z")
        land(home, SAMPLE, documents)

    def build(change: str) -> None:
        contract = {"source": "sample", "kind": "likes", "changes": [change], "after": "2026-02-01"}
        run_dbt(
            home, "build", "--select", "+fct_schema_changes", "--exclude-resource-type",
            "unit_test", "--vars", json.dumps({"producer_contracts": [contract]}),
            now=datetime(2026, 2, 2, 4, tzinfo=UTC), tell=str,
        )  # fmt: skip

    build("vanished_field")  # None has vanished.
    with pytest.raises(DbtError, match="assert_producers_keep_their_contracts"):
        build("new_field")
