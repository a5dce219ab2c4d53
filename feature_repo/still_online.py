"""Whether the online store in use still holds what was put there, asked cheaply and without Feast.

By the mark that publishing leaves with each view, and by a sample of keys: a store that was emptied
or replaced has lost the mark, one that evicts what it has no memory for has lost keys.
"""

import random
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from feature_repo.errors import reachable
from feature_repo.known_stores import fingerprint
from feature_repo.layout import Layout
from feature_repo.settings import PROJECT, TOOL_PATIENCE_S, online_url, store_identity

SAMPLE = 100
"""Keys of a view that are looked for."""

_STRING, _INT64 = 2, 4  # of feast.types.Value_pb2.ValueType

Key = str | int


@dataclass(frozen=True)
class _View:
    name: str
    key_column: str
    mark: str


@dataclass(frozen=True)
class _Store:
    """The two questions that are put to a store."""

    mark_of: Callable[[str], str]
    holds: Callable[[str, list[bytes]], int]
    """How many of the serialized keys have a row in the view."""


def lost_online(home_root: Path) -> list[str]:
    """Say of each view what the store in use has lost since it was published; empty: nothing.

    Views that were never published into that store are not among them.

    Raises:
        OnlineStoreUnavailable: the store does not answer.
    """
    url = online_url()
    views = list(_published(home_root, fingerprint(store_identity(home_root, url))))
    if not views:
        return []
    with reachable("online store"), _opened(home_root, url) as store:
        return [told for view in views if (told := _lost(home_root, store, view))]


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
                told = database.execute("select key_column, mark from about, mark").fetchall()
            except sqlite3.OperationalError:
                continue  # by an earlier version, which did not keep the key's name
        # Two marks: a publishing is going on, or was cut off; the next one sees to it.
        if len(told) == 1:
            yield _View(path.stem.rpartition("-")[0], *told[0])


def _lost(home_root: Path, store: _Store, view: _View) -> str | None:
    if store.mark_of(view.name) != view.mark:
        return f"{view.name}: the online store was emptied or replaced since it was published"
    keys = _sample(Layout(home_root).rows_of(view.name), view.key_column)
    held = store.holds(view.name, [serialized(view.key_column, key) for key in keys])
    if held == len(keys):
        return None
    return (
        f"{view.name}: of {len(keys)} keys that were published, {len(keys) - held} are no longer "
        "online. Does the online store evict what it has no memory for?"
    )


def _sample(path: Path, column: str) -> list[Key]:
    """Draw keys from one row group, however many there are."""
    if not path.exists():
        return []
    file = pq.ParquetFile(path)
    groups = range(file.num_row_groups)
    if not groups:
        return []
    sizes = [file.metadata.row_group(group).num_rows for group in groups]
    chance = random.SystemRandom()
    (group,) = chance.choices(groups, sizes)
    keys = file.read_row_group(group, columns=[column]).column(0).unique().to_pylist()
    return chance.sample(keys, min(SAMPLE, len(keys)))


@contextmanager
def _opened(home_root: Path, url: str) -> Iterator[_Store]:
    if url:
        from redis import Redis

        patience = {"socket_timeout": TOOL_PATIENCE_S, "socket_connect_timeout": TOOL_PATIENCE_S}
        with Redis.from_url(url, **patience) as client:

            def held_by_redis(view: str, keys: list[bytes]) -> int:
                with client.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.hexists(key + PROJECT.encode(), f"_ts:{view}")
                    return sum(pipe.execute())

            yield _Store(
                lambda view: (client.get(f"{PROJECT}:mark:{view}") or b"").decode(), held_by_redis
            )
        return
    path = Layout(home_root).online_store
    if not path.exists():
        yield _Store(lambda _: "", lambda _, __: 0)
        return
    with closing(sqlite3.connect(path, timeout=TOOL_PATIENCE_S)) as database:

        def mark_of(view: str) -> str:
            known = database.execute(
                "select count(*) from sqlite_master where name = 'tastemate_marks'"
            ).fetchone()
            asked = "select mark from tastemate_marks where view = ?"
            found = database.execute(asked, (view,)).fetchone() if known[0] else None
            return str(found[0]) if found else ""

        def held_by_sqlite(view: str, keys: list[bytes]) -> int:
            asked = f'select exists (select 1 from "{PROJECT}_{view}" where entity_key = ?)'  # noqa: S608
            return sum(database.execute(asked, (key,)).fetchone()[0] for key in keys)

        yield _Store(mark_of, held_by_sqlite)
