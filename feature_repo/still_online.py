"""Whether the online store in use still holds what was put there, asked cheaply and without Feast.

By the mark that publishing leaves with each view, and by a sample of keys: a store that was emptied
or replaced has lost the mark, one that evicts what it has no memory for has lost keys, and where
somebody else wrote to it, rows are of another moment than those that were published.
"""

import random
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.errors import reachable
from feature_repo.known_stores import fingerprint
from feature_repo.layout import Layout
from feature_repo.settings import PROJECT, TOOL_PATIENCE_S, online_url, store_identity

SAMPLE = 100
"""Keys of a view that are looked for."""

_STRING, _INT64 = 2, 4  # of feast.types.Value_pb2.ValueType

Key = str | int
Moment = int | None
"""Seconds since 1970; None where there is no row."""


@dataclass(frozen=True)
class _View:
    name: str
    key_column: str
    moment_column: str
    mark: str


@dataclass(frozen=True)
class _Store:
    """The two questions that are put to a store."""

    mark_of: Callable[[str], str]
    moments: Callable[[str, list[bytes]], list[Moment]]
    """Of which moment the view's row of each serialized key is."""


def lost_online(home_root: Path, *, are_published: bool = True) -> list[str]:
    """Say of each view what the store in use has lost since it was published; empty: nothing.

    Views that were never published into that store are not among them. Unless the rows that there
    are offline *are_published*, no keys are asked for: some may never have been online.

    Raises:
        OnlineStoreUnavailable: the store does not answer.
    """
    url = online_url()
    views = list(_published(home_root, fingerprint(store_identity(home_root, url))))
    if not views and (url or not Layout(home_root).online_store.exists()):
        return []
    with reachable("online store"), _opened(home_root, url) as store:
        # Where the home was moved, its own store has moved along, and is known by its marks.
        views = views or [
            view for view in _published(home_root, "*") if store.mark_of(view.name) == view.mark
        ]
        return [told for view in views if (told := _lost(home_root, store, view, are_published))]


def never_filled(home_root: Path) -> str | None:
    """Name the store in use if nothing of this home was ever put there."""
    url = online_url()
    if not url and Layout(home_root).online_store.exists():
        return None  # the home's own, by whatever path it was filled
    identity = store_identity(home_root, url)
    published = Layout(home_root).published.glob(f"*-{fingerprint(identity)}.sqlite")
    return None if any(published) else identity


def answering(home_root: Path) -> str:
    """Ask the store in use whether it is there; tell which one it is.

    Raises:
        OnlineStoreUnavailable: it does not answer.
    """
    url = online_url()
    identity = store_identity(home_root, url)
    with reachable("online store"), _opened(home_root, url) as store:
        store.mark_of("")
    return identity


def serialized(column: str, key: Key) -> bytes:
    """Write a key as Feast does (`entity_key_serialization_version` 3)."""
    name = column.encode()
    kind, data = (
        (_STRING, key.encode()) if isinstance(key, str) else (_INT64, struct.pack("<q", key))
    )
    return b"".join(
        (
            struct.pack("<III", 1, _STRING, len(name)),
            name,
            struct.pack("<II", kind, len(data)),
            data,
        )
    )


def _published(home_root: Path, which: str) -> Iterator[_View]:
    for path in sorted(Layout(home_root).published.glob(f"*-{which}.sqlite")):
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            try:
                told = database.execute(
                    "select key_column, moment_column, mark from about, about_time, mark"
                ).fetchall()
            except sqlite3.OperationalError:
                continue  # by an earlier version, which did not keep the names
        # Two marks: a publishing is going on, or was cut off; the next one sees to it.
        if len(told) == 1:
            yield _View(path.stem.rpartition("-")[0], *told[0])


def _lost(home_root: Path, store: _Store, view: _View, are_published: bool) -> str | None:  # noqa: FBT001
    if store.mark_of(view.name) != view.mark:
        return f"{view.name}: the online store was emptied or replaced since it was published"
    if not are_published:
        return None
    published = _sample(Layout(home_root).rows_of(view.name), view)
    online = store.moments(view.name, [serialized(view.key_column, key) for key in published])
    of_all = f"{view.name}: of {len(published)} keys that were published"
    if gone := sum(moment is None for moment in online):
        are = "is" if gone == 1 else "are"
        return (
            f"{of_all}, {gone} {are} no longer online (does the store evict what it has no memory "
            "for?)"
        )
    told = zip(published.values(), online, strict=True)
    if older := sum(found is not None and found < moment for moment, found in told):
        are = "is" if older == 1 else "are"
        return (
            f"{of_all}, {older} {are} online as of an earlier moment (has somebody else written to "
            "the store?)"
        )
    return None


def _sample(path: Path, view: _View) -> dict[Key, int]:
    """Draw keys from one row group, however many there are, with the newest moment of each in it.

    Another group may have a newer row of the same key.
    """
    if not path.exists():
        return {}
    file = pq.ParquetFile(path)
    groups = range(file.num_row_groups)
    if not groups:
        return {}
    sizes = [file.metadata.row_group(group).num_rows for group in groups]
    chance = random.SystemRandom()
    (group,) = chance.choices(groups, sizes)
    rows = file.read_row_group(group, columns=[view.key_column, view.moment_column])
    seconds = rows[view.moment_column].cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64())
    newest: dict[Key, int] = {}
    # Not grouped by Arrow, which would load pandas.
    for key, moment in zip(rows[view.key_column].to_pylist(), seconds.to_pylist(), strict=True):
        newest[key] = max(moment, newest.get(key, moment))
    drawn = chance.sample(sorted(newest), min(SAMPLE, len(newest)))
    return {key: newest[key] for key in drawn}


@contextmanager
def _opened(home_root: Path, url: str) -> Iterator[_Store]:
    if url:
        from google.protobuf.timestamp_pb2 import Timestamp
        from redis import Redis

        patience = {"socket_timeout": TOOL_PATIENCE_S, "socket_connect_timeout": TOOL_PATIENCE_S}
        with Redis.from_url(url, **patience) as client:

            def moments_in_redis(view: str, keys: list[bytes]) -> list[Moment]:
                with client.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.hget(key + PROJECT.encode(), f"_ts:{view}")
                    return [
                        None if told is None else Timestamp.FromString(told).seconds
                        for told in pipe.execute()
                    ]

            yield _Store(
                lambda view: (client.get(f"{PROJECT}:mark:{view}") or b"").decode(),
                moments_in_redis,
            )
        return
    path = Layout(home_root).online_store
    if not path.exists():
        yield _Store(lambda _: "", lambda _, keys: [None] * len(keys))
        return
    with closing(sqlite3.connect(path, timeout=TOOL_PATIENCE_S)) as database:

        def mark_of(view: str) -> str:
            known = database.execute(
                "select count(*) from sqlite_master where name = 'tastemate_marks'"
            ).fetchone()
            asked = "select mark from tastemate_marks where view = ?"
            found = database.execute(asked, (view,)).fetchone() if known[0] else None
            return str(found[0]) if found else ""

        def moments_in_sqlite(view: str, keys: list[bytes]) -> list[Moment]:
            asked = f'select min(event_ts) from "{PROJECT}_{view}" where entity_key = ?'  # noqa: S608
            return [database.execute(asked, (key,)).fetchone()[0] for key in keys]

        yield _Store(mark_of, moments_in_sqlite)
