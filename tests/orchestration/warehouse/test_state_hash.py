from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orchestration.warehouse.state_hash import ModelState, hash_of_rows

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("rating", pa.float64()),
        ("places", pa.list_(pa.string())),
    ]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | st.text(max_size=4),
            "at": st.none() | st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
            "rating": st.none() | st.floats(allow_nan=False),
            "places": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
        }
    ),
    max_size=8,
)
Rows = list[dict[str, Any]]


def hashed(folder: Path, rows: Rows, **how: Any) -> ModelState:
    path = folder / "it's.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, **how)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        return hash_of_rows(connection, path)


def told(rows: Rows) -> list[str]:
    """Write rows so that they compare as tables do: neither rows nor columns have an order."""
    return sorted(repr([row[name] for name in SCHEMA.names]) for row in rows)


forgiving = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@forgiving
@given(rows=ROWS, data=st.data())
def test_order_and_layout_change_nothing(tmp_path: Path, rows: Rows, data: Any) -> None:
    shuffled = data.draw(st.permutations(rows))
    plain = hashed(tmp_path, rows, compression="none")
    assert hashed(tmp_path, shuffled, compression="zstd", row_group_size=2) == plain
    assert plain.rows == len(rows)


@forgiving
@given(rows=ROWS, others=ROWS)
def test_other_rows_have_another_hash(tmp_path: Path, rows: Rows, others: Rows) -> None:
    assume(told(rows) != told(others))
    assert hashed(tmp_path, rows).hash != hashed(tmp_path, others).hash


def test_a_row_is_not_three_of_its_kind(tmp_path: Path) -> None:
    row = {"id": "a", "at": None, "rating": 1.0, "places": []}
    assert hashed(tmp_path, [row]).hash != hashed(tmp_path, [row] * 3).hash
