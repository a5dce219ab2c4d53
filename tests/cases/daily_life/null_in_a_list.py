"""Features that are lists with a null inside, which Feast cannot hold."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from feature_repo.contract import Column, View

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
LISTS: list[tuple[str, list[Any]]] = [
    ("varchar[]", ["a", None]),
    ("timestamptz[]", [MOMENT, None]),
    ("timestamptz[]", [None, MOMENT]),
]


def rows_of(data_type: str, content: list[Any]) -> tuple[View, pa.RecordBatch]:
    """Give a view of places with one list, and a row of it; `feature_repo.protos.rows` takes both.

    Right: for each of `LISTS` the error that names view, column and key. Seen: a bare
    AttributeError where the null follows a moment.
    """
    column = Column("xs", data_type)
    view = View("place", "", "place", Column("place_id", "varchar"), "known_at", (column,), "s")
    columns = {
        "place_id": ["p1"],
        "known_at": pa.array([MOMENT], pa.timestamp("us", "UTC")),
        "xs": pa.array([content], column.type.arrow),
    }
    return view, pa.record_batch(columns)
