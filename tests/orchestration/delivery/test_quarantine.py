from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.delivery.quarantine import quarantine_of
from orchestration.delivery.run_report import SetAside
from serving.home import Home
from tests.made import run_report

SCHEMA = pa.schema(
    [("file_id", pa.string()), ("source", pa.string()), ("kind", pa.string()),
     ("line_number", pa.int64()), ("reason", pa.string()),
     ("landed_at", pa.timestamp("us", "UTC")), ("replayed_file_id", pa.string())]
)  # fmt: skip


def line(file: str, number: int, reason: str, day: int, replayed: str | None = None) -> dict:
    moment = datetime(2026, 1, day, tzinfo=UTC)
    names = ("file_id", "source", "kind", "line_number", "reason", "landed_at", "replayed_file_id")
    return dict(zip(names, (file, "city", "likes", number, reason, moment, replayed), strict=True))


def home_with(root: Path, lines: list[dict]) -> Home:
    home = Home(root)
    home.marts.mkdir()
    files = [{"file_id": "f1", "name": "a.jsonl"}, {"file_id": "f2", "name": "b.jsonl"}]
    pq.write_table(pa.Table.from_pylist(files), home.handed_on("marts/fct_landed_files"))
    table = pa.Table.from_pylist(lines, schema=SCHEMA)
    pq.write_table(table, home.handed_on("marts/fct_quarantined_lines"))
    return home


def test_lines_are_counted_by_reason_with_the_first_of_them(tmp_path: Path) -> None:
    home = home_with(
        tmp_path,
        [
            line("f2", 1, "not_json", 2), line("f1", 9, "not_json", 1),
            line("f1", 4, "not_json", 1), line("f2", 3, "no_place", 2),
            line("f1", 2, "not_text", 1, replayed="f3"),
        ],
    )  # fmt: skip
    earlier = run_report(quarantine=[SetAside("city", "likes", "not_json", 2, None, "a.jsonl", 4)])
    assert sorted(quarantine_of(home, earlier), key=lambda one: one.reason) == [
        SetAside("city", "likes", "no_place", 1, 0, "b.jsonl", 3),
        SetAside("city", "likes", "not_json", 3, 2, "a.jsonl", 4),
    ]
    assert {one.before for one in quarantine_of(home, None)} == {None}


def test_a_home_without_marts_has_none(tmp_path: Path) -> None:
    assert quarantine_of(Home(tmp_path), None) == []
