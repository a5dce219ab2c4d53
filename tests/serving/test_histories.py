from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from serving.histories import current_rows
from tests.serving.city import KNOWN_AT, arrow_schema

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


def test_of_a_place_that_no_release_knows_counts_what_was_known_at_the_moment(
    tmp_path: "Path",
) -> None:
    """In whatever order the rows of a place stand."""
    favor = {
        "user_id": "u", "known_at": KNOWN_AT, "event_place_ids": ["new", "old"],
        "event_kinds": ["like"] * 2, "event_ats": [1, 2], "event_ratings": [-1.0] * 2,
        "is_discoverable": True,
    }  # fmt: skip
    known = [(KNOWN_AT + DAY, "bakery"), (KNOWN_AT, "cafe"), (KNOWN_AT - DAY, "closed")]
    places = [
        {"place_id": "new", "known_at": at, "category_codes": [code], "district_code": "d"}
        for at, code in known
    ]
    for view, rows in (("user_favor", [favor]), ("place", places)):
        table = pa.Table.from_pylist(rows, schema=arrow_schema(view))
        pq.write_table(table, tmp_path / f"{view}.parquet")

    def asked(moment: timedelta) -> list[object]:
        paths = tmp_path / "user_favor.parquet", tmp_path / "place.parquet"
        return [facts for _, facts in current_rows(*paths, {"old"}, KNOWN_AT + moment)]

    assert asked(timedelta(0)) == [{"new": (["cafe"], "d")}]
    assert asked(DAY) == [{"new": (["bakery"], "d")}]
    assert asked(-DAY) == []
