"""A person in logs, reports, the ledger and Dagster's records: blotted out, all else in place."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from feature_repo.offline import identifier
from orchestration.forgetting.person import Person
from serving.home import Home

SQLITE = b"SQLite format 3\0"
PATIENCE_S = 30.0
"""How long a database that another process writes to is waited for."""


def blot_out(home: Home, person: Person) -> int:
    """Blot the person out of whatever is kept about runs; tell in how many files.

    A log may be open for writing, so that nothing in it changes its place.
    """
    return sum(_blot(path, person) for path in _records(home))


def vacuum(path: Path) -> None:
    """Leave no deleted row in the free pages of a SQLite file, nor in its log."""
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as database:
        database.execute("vacuum")
        database.execute("pragma wal_checkpoint(truncate)")


def _records(home: Home) -> Iterator[Path]:
    folders = (home.dagster, home.dbt_logs, home.service_logs, home.reports, home.mlflow)
    yield from (path for folder in folders for path in folder.rglob("*") if path.is_file())
    # Names of files and of fields, which may be anything, also an id.
    yield from (path for path in (home.ledger, home.champion_log) if path.exists())


def _blot(path: Path, person: Person) -> bool:
    with path.open("rb") as file:
        if file.read(len(SQLITE)) == SQLITE:
            return _blot_rows(path, person)
    if path.name.endswith(("-wal", "-shm", "-journal")):
        return False  # with their database
    data = path.read_bytes()
    blotted = person.blotted(data)
    if blotted != data:
        with path.open("r+b") as file:
            file.write(blotted)
    return blotted != data


def _blot_rows(path: Path, person: Person) -> bool:
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as database:
        database.create_function("blotted", 1, lambda value: _blotted(value, person))
        database.execute("pragma secure_delete = on")
        with database:
            changed = sum(_blot_column(database, *where) for where in list(_columns(database)))
    if changed:
        vacuum(path)
    return bool(changed)


def _blot_column(database: sqlite3.Connection, table: str, column: str) -> int:
    return database.execute(
        f"update {table} set {column} = blotted({column}) "  # noqa: S608 - quoted names of its own
        f"where typeof({column}) in ('text', 'blob') and {column} is not blotted({column})"
    ).rowcount


def _blotted(value: Any, person: Person) -> Any:
    if isinstance(value, bytes):
        return person.blotted(value)
    return person.blotted(value.encode()).decode() if isinstance(value, str) else value


def _columns(database: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """List the columns of a database's tables, quoted."""
    named = database.execute(
        "select tables.name, columns.name "
        "from sqlite_master as tables, pragma_table_info(tables.name) as columns "
        "where tables.type = 'table' and not tables.name like 'sqlite%'"
    )
    yield from ((identifier(table), identifier(column)) for table, column in named)
