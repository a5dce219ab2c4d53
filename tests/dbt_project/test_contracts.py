"""The test that holds producers to what they promised, asked without starting dbt."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

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
        rows = connection.execute(f"select field from ({sql})").fetchall()  # noqa: S608 - our own file
    assert {field for (field,) in rows} == broken
