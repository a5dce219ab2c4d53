"""Publishing: the current row of every key goes online, and what is no longer there goes offline.

Only rows that have changed are written. What was written is remembered in the home, one small
SQLite file per online store, and believed only while the store carries the mark that was left in
it with the last batch. A store that was emptied, restored or swapped is therefore filled anew, and
after a kill at any moment the next run ends with online = offline.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from feature_repo import protos
from feature_repo.contract import View, read_views
from feature_repo.errors import (
    FeatureRowsError,
    PublishError,
    PublishingElsewhereError,
    TooManyOfflineError,
    reachable,
)
from feature_repo.files import hold
from feature_repo.known_stores import remember
from feature_repo.layout import Layout
from feature_repo.offline import column_list, connection, identifier, source
from feature_repo.online import OnlineStore, open_online
from feature_repo.published import Published
from feature_repo.settings import online_url, open_store

__all__ = ["PublishError", "PublishReport", "publish"]

MOST_OFFLINE = 0.05
"""The share of a view's keys that a publishing takes offline without being told to."""
CHUNK = 2000
"""Rows in memory at a time."""

Progress = Callable[[str, int, int], None]


@dataclass
class PublishReport:
    """What a publishing did: rows written, and their size in Arrow; keys deleted, and left."""

    rows: int = 0
    bytes: int = 0
    deleted: int = 0
    unchanged: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class _Run:
    home_root: Path
    target: OnlineStore
    report: PublishReport
    progress: Progress | None
    full: bool
    may_take_offline: bool


def publish(
    home_root: Path,
    progress: Progress | None = None,
    *,
    full: bool = False,
    may_take_offline: bool = False,
    online: str | None = None,
) -> PublishReport:
    """Bring the online store to the current rows of all views that are online.

    *progress* is told the view, the rows done and the rows to do. *full* writes every row,
    believing nothing: the mending of whatever parity has found. More than `MOST_OFFLINE` of a
    view's keys vanish only if they *may_take_offline*.

    Raises:
        OnlineStoreUnavailable: the online store does not answer.
        PublishError: the rows cannot be published, or another process is publishing.
    """
    started = time.monotonic()
    report = PublishReport()
    views = [view for view in read_views(home_root) if view.online]
    with _alone(home_root), reachable("publish"):
        target = open_online(open_store(home_root, online))
        remember(home_root, target.identity, online_url(online))
        for view in views:
            _publish_view(_Run(home_root, target, report, progress, full, may_take_offline), view)
    report.seconds = time.monotonic() - started
    return report


def _alone(home_root: Path) -> AbstractContextManager[None]:
    # Two publishers at once could leave the older value online.
    path = Layout(home_root).publish_lock
    busy = PublishingElsewhereError(
        f"{path}: another process is publishing. Wait for it, then run this again."
    )
    return hold(path, busy)


def _publish_view(run: _Run, view: View) -> None:
    target = run.target
    with (
        Published.open(run.home_root, target.identity, view) as state,
        connection(run.home_root) as db,
    ):
        if run.full or not state.believes(target.mark(view)):
            state.forget()
            for keys in target.keys(view):
                state.suspect(keys)
        _current_rows(db, run.home_root, view)
        _compare(db, state)
        if not run.may_take_offline:
            _refuse_to_empty(run, view, db)
        _write_changed(run, view, state, db)
        for keys in _vanished(db):
            with state.step([(key, None) for key in keys]) as mark:
                target.delete(view, keys)
                target.set_mark(view, mark)
            run.report.deleted += len(keys)
        if not state.believes(target.mark(view)):
            with state.step([]) as mark:
                target.set_mark(view, mark)


def _refuse_to_empty(run: _Run, view: View, db: duckdb.DuckDBPyConnection) -> None:
    """Stop where so many keys would go offline that something else is likelier to be wrong."""
    online = _count(db, "published_rows")
    vanishing = _count(db, "(from published_rows anti join present using (key))")
    # Of few keys, one is more than its share; that somebody goes is nothing out of the way.
    if vanishing > max(1, MOST_OFFLINE * online):
        raise TooManyOfflineError(
            f"features/{view.name}.parquet: it lacks {vanishing:,} of the {online:,} keys that are "
            f"online in {run.target.identity}, and publishing would take them offline. Look at "
            "what is there (tastemate build makes it anew); if it is meant: tastemate materialize "
            "--take-offline"
        )


def _write_changed(run: _Run, view: View, state: Published, db: duckdb.DuckDBPyConnection) -> None:
    todo, present, done = _count(db, "changed"), _count(db, "present"), 0
    run.report.unchanged += present - todo
    if todo == present:
        # Every row is new to this store, so its columns may be new as well.
        run.target.drop_other_columns(view)
    for batch in _changed_rows(db, run.home_root, view):
        keys = batch.column(view.key.name).to_pylist()
        contents = batch.column("content").to_pylist()
        with state.step(list(zip(keys, contents, strict=True))) as mark:
            run.target.write(view, protos.rows(view, batch))
            run.target.set_mark(view, mark)
        done += batch.num_rows
        run.report.rows += batch.num_rows
        run.report.bytes += batch.nbytes
        if run.progress:
            run.progress(view.name, done, todo)


def _current_rows(db: duckdb.DuckDBPyConnection, home_root: Path, view: View) -> None:
    """Make the table `present`: key, moment and fingerprint of each key's newest row.

    The fingerprint is md5 over JSON: DuckDB's own hash() is the same for null, [] and [null], and
    for ([1,2],[3]) and ([1],[2,3]).
    """
    key, moment = identifier(view.key.name), identifier(view.timestamp)
    db.execute(
        f"create table newest as select {key} as key, max({moment}) as moment "  # noqa: S608
        f"from {source(home_root, view)} group by {key}"
    )
    db.execute(
        "create table present as select key, moment, md5(to_json(struct_pack("  # noqa: S608
        + ", ".join(
            f"{identifier(name)} := {identifier(name)}"
            for name in (view.timestamp, *(column.name for column in view.features))
        )
        + f"))::varchar) as content from newest join {source(home_root, view)} as offline "
        f"on newest.key = offline.{key} and newest.moment = offline.{moment}"
    )
    twice = db.execute(
        "select key, moment from present group by all having count(*) > 1 limit 1"
    ).fetchone()
    if twice:
        raise FeatureRowsError(
            f"features/{view.name}.parquet: {view.key.name} {twice[0]!r} has several rows at "
            f"{twice[1].isoformat()}. Keep one row per key and moment in the model's SQL."
        )


def _compare(db: duckdb.DuckDBPyConnection, state: Published) -> None:
    """Make the tables `published_rows`, what is online, and `changed`, what is to be written."""
    db.register("published", state.reader())
    db.execute("create table published_rows as from published")
    db.execute(
        "create table changed as select key, moment, content from present "
        "anti join published_rows using (key, content)"
    )


def _changed_rows(
    db: duckdb.DuckDBPyConnection, home_root: Path, view: View
) -> Iterator[pa.RecordBatch]:
    key, moment = identifier(view.key.name), identifier(view.timestamp)
    # A cursor of its own: the caller's other statements must not end this stream.
    yield from (
        db.cursor()
        .execute(
            f"select {column_list(view)}, content from {source(home_root, view)} as offline "  # noqa: S608
            f"join changed on changed.key = offline.{key} and changed.moment = offline.{moment}"
        )
        .to_arrow_reader(CHUNK)
    )


def _vanished(db: duckdb.DuckDBPyConnection) -> Iterator[list[Any]]:
    """Find the keys that are online but no longer offline, in batches."""
    found = db.cursor().execute("select key from published_rows anti join present using (key)")
    while batch := found.fetchmany(CHUNK):
        yield [key for (key,) in batch]


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    counted = db.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
    return int(counted[0]) if counted else 0
