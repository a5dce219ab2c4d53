"""An archive written by hand, in the format of docs/reference/formats.md."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

LANDED_AT = datetime(2024, 6, 1, 3, tzinfo=UTC)

FILES = pa.schema(
    [
        ("file_id", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("lines_in", pa.int64()),
        ("landed_at", pa.timestamp("us", "UTC")),
        ("landed_date", pa.date32()),
        ("is_backfill", pa.bool_()),
        ("mapping", pa.string()),
        ("replays_file_id", pa.string()),
    ]
)
FIELDS = pa.schema(
    [
        ("file_id", pa.string()),
        ("path", pa.string()),
        ("json_type", pa.string()),
        ("documents", pa.int64()),
    ]
)
LINES = pa.schema(
    [
        ("file_id", pa.string()),
        ("line_number", pa.int64()),
        ("byte_offset", pa.int64()),
        ("user_id", pa.string()),
        ("district_code", pa.string()),
        ("doc", pa.string()),
        ("landing_reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class Unread:
    """A line that landing could not read."""

    reason: str


@dataclass(frozen=True)
class Located:
    """A place document for which landing derived the district from the coordinates."""

    doc: dict[str, Any]
    district_code: str


@dataclass
class Archive:
    """The raw folder of a home."""

    home: Path
    files: list[dict[str, Any]] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)

    def land(  # noqa: PLR0913 - a row of the ledger has so many facts
        self,
        source: str,
        kind: str,
        lines: list[Any],
        *,
        landed_at: datetime = LANDED_AT,
        is_backfill: bool = True,
        mapping: dict[str, Any] | None = None,
    ) -> str:
        """Write one file of *lines*: documents, their JSON text, or what stands in for them."""
        name = f"{kind}-{len(self.files)}.jsonl"
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        file_id = hashlib.sha256(f"{source}|{kind}|{sha256}".encode()).hexdigest()[:16]
        rows = [_row(file_id, number, line) for number, line in enumerate(lines, start=1)]
        day = landed_at.date()
        folder = self.home / "raw" / "lines" / f"source={source}" / f"kind={kind}"
        target = folder / f"landed_date={day}" / f"{file_id}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, LINES), target)
        self.files.append(
            {
                "file_id": file_id,
                "source": source,
                "kind": kind,
                "name": name,
                "sha256": sha256,
                "bytes": 100 * len(lines),
                "lines_in": len(lines),
                "landed_at": landed_at,
                "landed_date": day,
                "is_backfill": is_backfill,
                "mapping": json.dumps(mapping) if mapping else None,
            }
        )
        self.fields += [{"file_id": file_id, **found} for found in _fields(lines)]
        raw = self.home / "raw"
        pq.write_table(pa.Table.from_pylist(self.files, FILES), raw / "files.parquet")
        pq.write_table(pa.Table.from_pylist(self.fields, FIELDS), raw / "fields.parquet")
        return file_id


def _fields(lines: list[Any]) -> list[dict[str, Any]]:
    """Count the top fields of documents, as landing would."""
    documents = [line for line in lines if isinstance(line, dict)]
    counts = Counter((name, _json_type(doc[name])) for doc in documents for name in doc)
    counts["", "OBJECT"] = len(documents)
    return [
        {"path": path, "json_type": json_type, "documents": count}
        for (path, json_type), count in counts.items()
    ]


def _json_type(value: Any) -> str:
    names = {str: "VARCHAR", int: "UBIGINT", float: "DOUBLE", bool: "BOOLEAN", list: "ARRAY"}
    return "NULL" if value is None else names.get(type(value), "OBJECT")


def _row(file_id: str, number: int, line: Any) -> dict[str, Any]:
    row = {"file_id": file_id, "line_number": number, "byte_offset": 100 * (number - 1)}
    if isinstance(line, Unread):
        return row | {"landing_reason": line.reason}
    if isinstance(line, Located):
        return row | {"doc": json.dumps(line.doc), "district_code": line.district_code}
    if isinstance(line, str):
        return row | {"doc": line, "user_id": "someone"}
    return row | {"doc": json.dumps(line), "user_id": line.get("user_id")}
