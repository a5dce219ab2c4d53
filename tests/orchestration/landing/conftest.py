import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from serving.home import Home

Rows = list[dict[str, Any]]
Write = Callable[[str, bytes], Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("TASTEMATE_NOW", "2026-07-01T08:00:00+00:00")
    monkeypatch.delenv("TASTEMATE_KEYS", raising=False)
    return Home(tmp_path / "home")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the source into one folder; give the folder."""

    def write(name: str, content: bytes) -> Path:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def lines(home: Home) -> Callable[[], Rows]:
    """Read the archive, in the order of files and lines, documents parsed."""

    def lines() -> Rows:
        rows = duckdb.sql(
            f"select * from read_parquet('{home.lines}/**/*.parquet', hive_partitioning = true) "
            "order by file_id, line_number"
        )
        found = [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
        return [{**row, "doc": row["doc"] and json.loads(row["doc"])} for row in found]

    return lines
