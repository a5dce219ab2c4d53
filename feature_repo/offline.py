"""The offline rows of a view, read by DuckDB straight from their Parquet file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from feature_repo.contract import View
from feature_repo.errors import FeatureRowsError
from feature_repo.layout import Layout

MEMORY = "1GB"


@contextmanager
def connection(home_root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of its own that spills into the home instead of filling the memory."""
    spill = Layout(home_root).spill
    spill.mkdir(parents=True, exist_ok=True)
    settings = {"memory_limit": MEMORY, "temp_directory": str(spill)}
    with duckdb.connect(config=settings) as opened:
        yield opened


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def source(home_root: Path, view: View) -> str:
    """Name a view's rows in SQL."""
    path = Layout(home_root).rows_of(view.name)
    if not path.exists():
        raise FeatureRowsError(f"{path}: no such file. Make it: tastemate build")
    quoted = str(path).replace("'", "''")
    return f"read_parquet('{quoted}')"


def column_list(view: View) -> str:
    """List a view's columns in SQL: key, timestamp, features."""
    names = [view.key.name, view.timestamp, *(column.name for column in view.features)]
    return ", ".join(identifier(name) for name in names)
