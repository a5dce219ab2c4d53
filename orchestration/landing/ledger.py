"""The ledger: which files have landed, when, and with how many lines. Its row is the fact."""

import sqlite3
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.archive import draft_of
from orchestration.landing.field_counts import Fields
from serving.files import put_in_place
from serving.home import Home

_SCHEMA = """
create table if not exists files (
    file_id text primary key,
    source text not null,
    kind text not null,
    name text not null,
    sha256 text not null,
    bytes integer not null,
    lines_in integer not null,
    landed_at text not null,
    is_backfill integer not null,
    is_truncated integer not null,
    mapping text,
    replays_file_id text
);
create table if not exists fields (
    file_id text not null,
    path text not null,
    json_type text not null,
    documents integer not null
);
create table if not exists former_mappings (
    file_id text not null,
    mapping text,
    until text not null
);
create table if not exists first_loads (
    source text primary key,
    begun_at text not null,
    is_finished integer not null default 0
);
create table if not exists offsets (
    source text not null,
    kind text not null,
    cluster text not null,
    topic text not null,
    partition integer not null,
    first_offset integer not null,
    next_offset integer not null,
    file_id text,
    is_lost integer not null,
    primary key (source, kind, cluster, topic, partition, next_offset)
);
"""
EXPORTED = pa.schema(
    {
        "file_id": pa.string(),
        "source": pa.string(),
        "kind": pa.string(),
        "name": pa.string(),
        "sha256": pa.string(),
        "bytes": pa.int64(),
        "lines_in": pa.int64(),
        "landed_at": pa.timestamp("us", tz="UTC"),
        "landed_date": pa.date32(),
        "is_backfill": pa.bool_(),
        "mapping": pa.string(),
        "replays_file_id": pa.string(),
    }
)
EXPORTED_FIELDS = pa.schema(
    {
        "file_id": pa.string(),
        "path": pa.string(),
        "json_type": pa.string(),
        "documents": pa.int64(),
    }
)


@dataclass(frozen=True)
class Entry:
    """One landed file; the fields are the table's columns, in their order.

    ``replays_file_id`` names the file whose quarantined lines were read once more, where that
    is what landed.
    """

    file_id: str
    source: str
    kind: str
    name: str
    sha256: str
    bytes: int
    lines_in: int
    landed_at: str
    is_backfill: bool
    is_truncated: bool
    mapping: str | None
    replays_file_id: str | None = None


@dataclass(frozen=True)
class Stream:
    """A topic that lands as one kind of a source's files."""

    source: str
    kind: str
    cluster: str
    topic: str


@dataclass(frozen=True)
class Offsets:
    """What became of a partition's offsets from ``first_offset`` to before ``next_offset``.

    They landed as ``file_id``, or they were lost, or else there was no message in them.
    """

    stream: Stream
    partition: int
    first_offset: int
    next_offset: int
    file_id: str | None = None
    is_lost: bool = False


class Ledger:
    """The ledger of a home, open for writing."""

    def __init__(self, home: Home) -> None:
        home.root.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(home.ledger)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.executescript(_SCHEMA)
        self._add_new_columns()

    def _add_new_columns(self) -> None:
        """Give the ledger of an older home the columns that came later."""
        there = {row[1] for row in self._database.execute("pragma table_info(files)")}
        if "replays_file_id" not in there:
            self._database.execute("alter table files add column replays_file_id text")

    def begin_load(self, source: str, landed_at: datetime) -> bool:
        """Begin to load *source*; tell whether this is its first bulk load.

        A first load that was killed is still the first when it is taken up again.
        """
        with self._database:
            self._database.execute(
                "insert into first_loads (source, begun_at) values (?, ?) on conflict do nothing",
                (source, landed_at.isoformat()),
            )
        ((is_finished,),) = self._database.execute(
            "select is_finished from first_loads where source = ?", (source,)
        )
        return not is_finished

    def finish_load(self, source: str) -> None:
        """Note that what comes from now on is no first load."""
        with self._database:
            self._database.execute(
                "update first_loads set is_finished = 1 where source = ?", (source,)
            )

    def add(self, entry: Entry, fields: Fields, offsets: Offsets | None = None) -> None:
        """Make a landed file count, with its documents' *fields* and the *offsets* it is read from.

        All at once: after a kill there is the whole or nothing.
        """
        with self._database:
            self._pass(offsets)
            self._database.executemany(
                "insert into fields values (?, ?, ?, ?)",
                [(entry.file_id, *field, documents) for field, documents in fields.items()],
            )
            self._database.execute(
                f"insert into files values ({','.join('?' * len(astuple(entry)))})",  # noqa: S608 - only question marks
                astuple(entry),
            )

    def pass_over(self, offsets: list[Offsets]) -> None:
        """Note offsets from which nothing lands."""
        with self._database:
            for each in offsets:
                self._pass(each)

    def _pass(self, offsets: Offsets | None) -> None:
        if offsets:
            row = (*astuple(offsets.stream), *astuple(offsets)[1:])
            self._database.execute("insert into offsets values (?,?,?,?,?,?,?,?,?)", row)

    def positions(self, stream: Stream) -> dict[int, int]:
        """Give the offset from which each known partition of *stream* is to be read on."""
        rows = self._database.execute(
            "select partition, max(next_offset) from offsets "
            "where (source, kind, cluster, topic) = (?, ?, ?, ?) group by partition",
            astuple(stream),
        )
        return dict(rows.fetchall())

    def clusters_of(self, stream: Stream) -> list[str]:
        """List the clusters from which the topic of *stream* has been read."""
        rows = self._database.execute(
            "select distinct cluster from offsets where (source, kind, topic) = (?, ?, ?)",
            (stream.source, stream.kind, stream.topic),
        )
        return [cluster for (cluster,) in rows]

    def files_of(self, stream: Stream) -> list[Entry]:
        """List the files that the topic of *stream* has landed as."""
        rows = self._database.execute(
            "select * from files where file_id in (select file_id from offsets "
            "where (source, kind, topic) = (?, ?, ?)) order by rowid",
            (stream.source, stream.kind, stream.topic),
        )
        return [_entry(row) for row in rows]

    def remap(self, file_id: str, mapping: str | None, at: datetime) -> None:
        """Let another mapping say what a landed file's columns mean, from *at* on."""
        with self._database:
            self._database.execute(
                "insert into former_mappings select file_id, mapping, ? from files "
                "where file_id = ?",
                (_sortable(at), file_id),
            )
            self._database.execute(
                "update files set mapping = ? where file_id = ?", (mapping, file_id)
            )

    def files(self) -> list[Entry]:
        """List all landed files, in the order of landing."""
        rows = self._database.execute("select * from files order by rowid")
        return [_entry(row) for row in rows]

    def file(self, file_id: str) -> Entry | None:
        """Find one landed file, however many there are; None where it has not landed."""
        row = self._database.execute("select * from files where file_id = ?", (file_id,)).fetchone()
        return _entry(row) if row else None

    def fields_of(self, file_id: str) -> set[str]:
        """List the paths of what the documents of a landed file hold."""
        rows = self._database.execute("select path from fields where file_id = ?", (file_id,))
        return {path for (path,) in rows}

    def replays_of(self, file_id: str) -> list[Entry]:
        """List the files that lines from the quarantine of a landed file have landed as."""
        rows = self._database.execute(
            "select * from files where replays_file_id = ? order by rowid", (file_id,)
        )
        return [_entry(row) for row in rows]

    def files_as_of(self, moment: datetime) -> list[Entry]:
        """List the files that had landed by *moment*, with the mappings that held then.

        Before anything landed there is only what the bulk loads told of the past.
        """
        every = self.files()
        landed = [entry for entry in every if datetime.fromisoformat(entry.landed_at) <= moment]
        told = landed or [entry for entry in every if entry.is_backfill]
        return [replace(entry, mapping=self._mapping_as_of(entry, moment)) for entry in told]

    def _mapping_as_of(self, entry: Entry, moment: datetime) -> str | None:
        former = self._database.execute(
            "select mapping from former_mappings where file_id = ? and until > ? "
            "order by until limit 1",
            (entry.file_id, _sortable(moment)),
        ).fetchone()
        return former[0] if former else entry.mapping

    def export(self, home: Home) -> None:
        """Write the ledger into *home* as dbt reads it."""
        self.export_files(self.files(), home)

    def export_files(self, entries: list[Entry], home: Home) -> None:
        """Write what the ledger says of *entries* into *home* as dbt reads it."""
        known = {entry.file_id for entry in entries}
        rows = self._database.execute("select * from fields order by rowid").fetchall()
        fields = [dict(zip(EXPORTED_FIELDS.names, row, strict=True)) for row in rows]
        kept = [field for field in fields if field["file_id"] in known]
        _write(pa.Table.from_pylist(kept, EXPORTED_FIELDS), home.landed_fields)
        _write(_exported(entries), home.landed_files)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    pq.write_table(table, draft)
    put_in_place(draft, path)


def _sortable(moment: datetime) -> str:
    """Write *moment* so that texts compare as the moments do."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _entry(row: tuple[Any, ...]) -> Entry:
    told = dict(zip((field.name for field in fields(Entry)), row, strict=True))
    flags = {name: bool(told[name]) for name in ("is_backfill", "is_truncated")}
    return Entry(**{**told, **flags})


def _exported(entries: list[Entry]) -> pa.Table:
    """Lay *entries* out as `raw/files.parquet` has them."""
    landed_ats = [datetime.fromisoformat(entry.landed_at).astimezone(UTC) for entry in entries]
    columns = {
        name: [getattr(entry, name) for entry in entries]
        for name in EXPORTED.names
        if name != "landed_date"
    }
    columns |= {"landed_at": landed_ats, "landed_date": [moment.date() for moment in landed_ats]}
    return pa.table(columns, schema=EXPORTED)
