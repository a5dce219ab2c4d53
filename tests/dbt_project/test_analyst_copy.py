"""The copy that analysts read, and dbt's page beside it, of a home whose name holds anything."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.delivery.analyst_copy import publish_copy
from orchestration.delivery.dbt_docs import publish_docs
from orchestration.warehouse.dbt_command import project_hash
from serving.home import Home

DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "ask-the-marts.md"
LOCKED = "set enable_external_access = false; set lock_configuration = true"
BESIDE = """
import sys, duckdb
writer = duckdb.connect(sys.argv[1])
reader = duckdb.connect(sys.argv[2], read_only=True)
for line in sys.stdin:
    print(reader.execute("select count(*) from marts.fct_events").fetchone()[0], flush=True)
"""


@pytest.fixture(scope="module")
def home(mixed: Any) -> Home:
    """A built home, whose manifest is that of the project as it stands."""
    (mixed.home / "dbt" / "manifest.sha256").write_text(project_hash())
    return Home(mixed.home)


@pytest.fixture(scope="module")
def copy(home: Home) -> Path:
    return publish_copy(home)


@pytest.fixture(scope="module")
def analyst(copy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(copy, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(LOCKED)
        yield connection


def test_the_docs_say_how_it_is_locked() -> None:
    assert LOCKED in DOCS.read_text()


def test_it_holds_what_was_handed_on_and_nothing_else(
    home: Home, analyst: duckdb.DuckDBPyConnection
) -> None:
    handed_on = {
        f"{path.parent.name}.{path.stem}": path
        for path in [*home.marts.glob("*.parquet"), *home.features.glob("*.parquet")]
    }
    tables = analyst.execute("select schema_name || '.' || table_name from duckdb_tables()")
    assert {name for (name,) in tables.fetchall()} == set(handed_on)
    with duckdb.connect() as plain:
        plain.execute("set TimeZone = 'UTC'")
        for name, path in handed_on.items():
            expected = plain.read_parquet(str(path))
            there = analyst.table(name)
            assert (there.columns, there.types) == (expected.columns, expected.types)
            assert sorted(map(str, there.fetchall())) == sorted(map(str, expected.fetchall()))


def test_tables_and_columns_tell_what_dbt_says_of_them(
    analyst: duckdb.DuckDBPyConnection,
) -> None:
    silent = analyst.execute(
        "select table_name from duckdb_tables() where comment is null "
        "union all select table_name || '.' || column_name from duckdb_columns() "
        "where not internal and comment is null"
    )
    assert silent.fetchall() == []
    (said,) = analyst.execute(
        "select comment from duckdb_columns() where column_name = 'session_id' limit 1"
    ).fetchone() or ("",)
    assert said.startswith("The session: the md5 of")


def test_neither_reader_nor_writer_is_kept_waiting(home: Home, copy: Path) -> None:
    """Another process holds the warehouse to write and the copy to read; both are unmoved."""
    beside = [sys.executable, "-c", BESIDE, str(home.warehouse), str(copy)]
    with subprocess.Popen(
        beside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin
        assert other.stdout

        def count() -> int:
            print(file=other.stdin, flush=True)
            return int(other.stdout.readline())

        before = count()
        inode = copy.stat().st_ino
        publish_copy(home)
        assert copy.stat().st_ino != inode
        assert count() == before > 0
        other.stdin.close()


def test_a_killed_publication_leaves_nothing_that_stops_the_next(home: Home) -> None:
    for name in (".draft.duckdb", ".draft.duckdb.wal"):
        (home.analysts / name).write_text("half of a file")
    publish_copy(home)
    assert [path.name for path in home.analysts.glob("*duckdb*")] == [home.analyst_copy.name]


def test_it_tells_nothing_of_the_machine(home: Home, copy: Path) -> None:
    content = copy.read_bytes()
    assert str(home.root).encode() not in content
    assert home.root.parent.name.encode() not in content


@pytest.mark.parametrize(
    "attempt",
    [
        "create table marts.mine as select 1",
        "delete from marts.fct_events",
        "select * from read_csv('/etc/passwd')",
        "copy marts.fct_events to '/tmp/events.csv'",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
    ],
)
def test_opened_as_the_docs_say_it_gives_no_way_to_write_or_to_other_files(
    analyst: duckdb.DuckDBPyConnection, attempt: str
) -> None:
    with pytest.raises(duckdb.Error):
        analyst.execute(attempt)


@pytest.mark.slow
def test_dbts_page_is_one_file_with_types_and_is_made_once_a_project(home: Home) -> None:
    assert publish_docs(home)
    page = home.analysts / "docs" / "index.html"
    text = page.read_text()
    assert "INLINE DATA" not in text
    assert "# Tastemate's warehouse" in text
    assert re.search(r'"type": ?"BIGINT", ?"index": ?\d+, ?"name": ?"dwell_seconds"', text)
    assert not publish_docs(home)
