"""The online store beneath Feast: what its interface lacks and publishing needs.

Deleting rows, listing keys, and a mark that tells whether the store still holds what was put
there. SQLite and Redis; reading and writing of rows goes through Feast itself.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from feast.infra.key_encoding_utils import deserialize_entity_key, serialize_entity_key
from feast.infra.online_stores.helpers import _mmh3, _redis_key, _redis_key_prefix, compute_table_id

from feature_repo.contract import View
from feature_repo.errors import OnlineStoreUnavailable, reachable
from feature_repo.protos import Row, entity_keys, plain
from feature_repo.settings import redis_identity

__all__ = ["OnlineStore", "OnlineStoreUnavailable", "open_online", "reachable"]

BATCH = 1000


class OnlineStore(Protocol):
    """What publishing needs of an online store."""

    identity: str
    """Which store this is, without secrets."""

    def write(self, view: View, rows: list[Row]) -> None:
        """Put rows in, whatever stands there."""

    def delete(self, view: View, keys: Sequence[Any]) -> None:
        """Take rows out; keys that are not there do not matter."""

    def keys(self, view: View) -> Iterator[list[Any]]:
        """List the keys of a view, in batches."""

    def drop_other_columns(self, view: View) -> None:
        """Take out what is left of columns that the view no longer has."""

    def mark(self, view: View) -> str:
        """Read the mark of a view; empty if there is none."""

    def set_mark(self, view: View, mark: str) -> None:
        """Set the mark of a view, after all that was written before."""


def open_online(store: Any) -> OnlineStore:
    """Open the online store of a Feast store for publishing."""
    kind = store.config.online_store.type
    return RedisStore(store) if kind == "redis" else SqliteStore(store)


def is_marked(store: Any, view: str) -> bool:
    """Say whether an online store of Feast's has the mark of a view; changes nothing there."""
    online, settings = store.provider.online_store, store.config
    if settings.online_store.type == "redis":
        return bool(online._get_client(settings.online_store).exists(_mark_key(store, view)))  # noqa: SLF001
    connection = online._get_conn(settings)  # noqa: SLF001
    asked = "select count(*) from tastemate_marks where view = ?"
    return bool(connection.execute(asked, (view,)).fetchone()[0])


def renew_where_replaced(store: Any) -> None:
    """Let a SQLite store of Feast's open its file anew where another lies there by now.

    An open file stays readable after it was moved or removed, and would answer with what was true
    then: a person who has left since would still be shown.

    Raises:
        OnlineStoreUnavailable: there is no file; Feast would make an empty one.
    """
    if store.config.online_store.type != "sqlite":
        return
    online = store.provider.online_store
    path = Path(online._get_db_path(store.config))  # noqa: SLF001
    try:
        there = path.stat()
    except FileNotFoundError:
        raise OnlineStoreUnavailable(
            f"{path}: there is no online store. Make and fill it anew: tastemate apply, then "
            "tastemate materialize"
        ) from None
    identity = (there.st_dev, there.st_ino)
    # Kept with the connection, which all readers of the store share.
    if getattr(online, "_tastemate_file", identity) != identity:
        online._conn = None  # noqa: SLF001
    online._tastemate_file = identity  # noqa: SLF001


class SqliteStore:
    """Feast's SQLite online store."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.identity = f"sqlite:{store.config.online_store.path}"
        self._connection = store.provider.online_store._get_conn(store.config)  # noqa: SLF001
        # Readers go on while rows are written.
        self._connection.execute("pragma journal_mode=wal")
        self._connection.execute(
            "create table if not exists tastemate_marks (view text primary key, mark text not null)"
        )
        self._connection.commit()

    def write(self, view: View, rows: list[Row]) -> None:
        feature_view = self._store.get_feature_view(view.name)
        self._store.provider.online_write_batch(self._store.config, feature_view, rows, None)

    def delete(self, view: View, keys: Sequence[Any]) -> None:
        statement = f"delete from {self._table(view)} where entity_key = ?"  # noqa: S608
        with self._connection:
            self._connection.executemany(
                statement, [(serialize_entity_key(key),) for key in entity_keys(view, keys)]
            )

    def keys(self, view: View) -> Iterator[list[Any]]:
        cursor = self._connection.execute(f"select distinct entity_key from {self._table(view)}")  # noqa: S608
        while found := cursor.fetchmany(BATCH):
            yield [plain(deserialize_entity_key(key).entity_values[0]) for (key,) in found]

    def drop_other_columns(self, view: View) -> None:
        """Delete them: Feast would take a row's timestamp from any of them, however old."""
        places = ", ".join("?" * len(view.features))
        with self._connection:
            self._connection.execute(
                f"delete from {self._table(view)} where feature_name not in ({places})",  # noqa: S608
                [column.name for column in view.features],
            )

    def mark(self, view: View) -> str:
        found = self._connection.execute(
            "select mark from tastemate_marks where view = ?", (view.name,)
        ).fetchone()
        return str(found[0]) if found else ""

    def set_mark(self, view: View, mark: str) -> None:
        with self._connection:
            self._connection.execute(
                "insert or replace into tastemate_marks values (?, ?)", (view.name, mark)
            )

    def _table(self, view: View) -> str:
        return f'"{compute_table_id(self._store.project, view)}"'


class RedisStore:
    """Feast's Redis online store."""

    def __init__(self, store: Any) -> None:
        self._store = store
        online = store.config.online_store
        self._client = store.provider.online_store._get_client(online)  # noqa: SLF001
        self.identity = redis_identity(online.connection_string)

    def write(self, view: View, rows: list[Row]) -> None:
        feature_view = self._store.get_feature_view(view.name)
        self._store.provider.online_write_batch(self._store.config, feature_view, rows, None)

    def delete(self, view: View, keys: Sequence[Any]) -> None:
        """Take the view's fields out; the whole key where no other view has rows for it."""
        names = [self._key(key) for key in entity_keys(view, keys)]
        own = f"_ts:{view.name}".encode()
        fields = [own, *(_mmh3(f"{view.name}:{column.name}") for column in view.features)]
        for batch in _batches(names):
            held = self._all([("HKEYS", name) for name in batch])
            self._all(
                [
                    ("HDEL", name, *fields)
                    if any(field.startswith(b"_ts:") and field != own for field in there)
                    else ("DEL", name)
                    for name, there in zip(batch, held, strict=True)
                ]
            )

    def keys(self, view: View) -> Iterator[list[Any]]:
        project = self._store.project.encode()
        own = f"_ts:{view.name}"
        pattern = _escaped(_redis_key_prefix([view.key.name])) + b"*" + project
        for names in _batches(self._client.scan_iter(pattern, count=BATCH)):
            held = self._all([("HEXISTS", name, own) for name in names])
            yield [
                plain(deserialize_entity_key(name[: -len(project)]).entity_values[0])
                for name, there in zip(names, held, strict=True)
                if there
            ]

    def drop_other_columns(self, view: View) -> None:
        """Leave them: Redis is asked for the fields of the view alone."""

    def mark(self, view: View) -> str:
        return (self._client.get(_mark_key(self._store, view.name)) or b"").decode()

    def set_mark(self, view: View, mark: str) -> None:
        self._client.set(_mark_key(self._store, view.name), mark)

    def _all(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return list(pipe.execute())

    def _key(self, key: Any) -> bytes:
        return bytes(_redis_key(self._store.project, key))


def _mark_key(store: Any, view: str) -> str:
    return f"{store.project}:mark:{view}"


def _batches(items: Any) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _escaped(pattern: bytes) -> bytes:
    # Lengths in the prefix are raw bytes and may happen to be one of Redis's wildcards.
    return b"".join(
        b"\\" + bytes([byte]) if byte in b"*?[]\\^-" else bytes([byte]) for byte in pattern
    )
