"""What a glance at Parquet footers sees of marts and features."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.warehouse import handed_on
from serving.home import Home

ROWS: list[dict[str, Any]] = [
    {"user_id": f"u{n}", "event_place_ids": ["a", "b"], "rating": None if n else 1.0}
    for n in range(6)
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a model that a run has published."""
    home = Home(tmp_path)
    home.features.mkdir()
    home.dbt.mkdir()
    home.state.mkdir()
    home.dbt_made_by.write_text("as always")
    write(home, ROWS)
    handed_on.remembered(home).write(handed_on.look(home))
    assert handed_on.differences(home) == []
    return home


def write(home: Home, rows: list[dict[str, Any]], **how: Any) -> None:
    path = home.handed_on("features/user_favor")
    pq.write_table(pa.Table.from_pylist(rows, pa.Table.from_pylist(ROWS).schema), path, **how)


def test_order_and_packing_make_no_difference(home: Home) -> None:
    write(home, ROWS[::-1], row_group_size=2, compression="gzip")
    assert handed_on.differences(home) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "features/user_favor: 0 rows, published were 6"),
        (ROWS[1:], "features/user_favor: 5 rows, published were 6"),
        ([row | {"event_place_ids": ["a"]} for row in ROWS], "other values"),
        ([row | {"rating": None} for row in ROWS], "other values"),
    ],
)
def test_rows_and_values_that_are_gone_are_seen(
    home: Home, rows: list[dict[str, Any]], told: str
) -> None:
    write(home, rows)
    (difference,) = handed_on.differences(home)
    assert told in difference


def test_a_file_that_is_gone_and_another_dbt_run_are_seen(home: Home) -> None:
    home.handed_on("features/user_favor").unlink()
    home.dbt_made_by.write_text('variables {"events_in_favor": 5}')
    assert handed_on.differences(home) == [
        "features/user_favor: its file is gone",
        "dbt has run since with other variables or settings, or without rows",
    ]


def test_a_home_that_an_earlier_version_published_has_nothing_to_compare_with(
    tmp_path: Path,
) -> None:
    assert handed_on.differences(Home(tmp_path)) == []
