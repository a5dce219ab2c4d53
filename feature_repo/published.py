"""What has been put online: a fingerprint for each key, per online store and view.

Before a batch goes online its keys are set to "not known"; after it, to their new fingerprints. The
online store gets a fresh mark with every batch, and the file is believed only if it knows the mark
that the store carries. So neither a kill between two steps nor a store that has lost its last
seconds can make a stale row look published.
"""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from feature_repo.contract import View
from feature_repo.known_stores import fingerprint
from feature_repo.layout import Layout

BATCH = 10_000
SCHEMA = """
create table if not exists content (key primary key, content text) without rowid;
create table if not exists mark (name text primary key, mark text not null);
create table if not exists about (key_column text primary key);
create table if not exists about_time (moment_column text primary key);
"""


class Published:
    """The state of one view in one online store."""

    def __init__(self, connection: sqlite3.Connection, key_type: pa.DataType) -> None:
        self._db = connection
        self._key_type = key_type

    @classmethod
    @contextmanager
    def open(cls, home_root: Path, store: str, view: View) -> Iterator[Self]:
        """Open the state of *view* in the online store that calls itself *store*."""
        path = Layout(home_root).published_rows(view.name, fingerprint(store))
        path.parent.mkdir(parents=True, exist_ok=True)
        # DuckDB reads the stream from a thread of its own.
        connection = sqlite3.connect(path, check_same_thread=False)
        try:
            connection.execute("pragma journal_mode=wal")
            connection.executescript(SCHEMA)
            # For whoever looks whether rows are still there, without the contract.
            connection.execute("insert or ignore into about values (?)", (view.key.name,))
            connection.execute("insert or ignore into about_time values (?)", (view.timestamp,))
            connection.commit()
            yield cls(connection, view.key.type.arrow)
        finally:
            connection.close()

    def believes(self, mark: str) -> bool:
        """Say whether a store that carries *mark* holds what this state says."""
        known = {row[0] for row in self._db.execute("select mark from mark")}
        return bool(mark) and mark in known

    def forget(self) -> None:
        """Believe nothing any more."""
        with self._db:
            self._db.execute("delete from content")
            self._db.execute("delete from mark")

    def suspect(self, keys: Sequence[Any]) -> None:
        """Note *keys* that are online with a content that is not known."""
        with self._db:
            self._db.executemany(
                "insert or ignore into content values (?, null)", [(key,) for key in keys]
            )

    def reader(self) -> pa.RecordBatchReader:
        """Stream the keys that are online, with their fingerprints: null where not known."""
        schema = pa.schema([("key", self._key_type), ("content", pa.string())])
        found = self._db.execute("select key, content from content")

        def batches() -> Iterator[pa.RecordBatch]:
            while rows := found.fetchmany(BATCH):
                keys, contents = zip(*rows, strict=True)
                yield pa.record_batch(
                    [pa.array(keys, self._key_type), pa.array(contents, pa.string())], schema=schema
                )

        return pa.RecordBatchReader.from_batches(schema, batches())

    @contextmanager
    def step(self, contents: Sequence[tuple[Any, str | None]]) -> Iterator[str]:
        """Hold the writing of one batch: keys with their new fingerprints, None for deleted ones.

        Yields the mark to leave in the online store when the batch is there.
        """
        mark = secrets.token_hex(8)
        with self._db:
            self._db.executemany(
                "insert or replace into content values (?, null)", [(key,) for key, _ in contents]
            )
            self._db.execute("insert or replace into mark values ('next', ?)", (mark,))
        yield mark
        with self._db:
            self._db.executemany(
                "insert or replace into content values (?, ?)",
                [(key, content) for key, content in contents if content is not None],
            )
            self._db.executemany(
                "delete from content where key = ?",
                [(key,) for key, content in contents if content is None],
            )
            self._db.execute("delete from mark")
            self._db.execute("insert into mark values ('last', ?)", (mark,))
