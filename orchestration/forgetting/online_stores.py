"""A person in the online stores that a home has ever published to, in use or not.

By search, not by key: a store that has been out of use may hold views and keys of those days.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from feature_repo.known_stores import KnownStore, known_stores
from feature_repo.layout import Layout
from feature_repo.offline import identifier
from feature_repo.settings import PROJECT, TOOL_PATIENCE_S, online_url, store_identity
from orchestration.forgetting.person import Person
from orchestration.forgetting.records import PATIENCE_S
from orchestration.home.console import say
from serving.home import Home

if TYPE_CHECKING:
    from redis import Redis

_AT_ONCE = 1000


class NotReachedError(ConnectionError):
    """An online store cannot be looked into."""


def online_stores(home: Home) -> list[KnownStore]:
    """List the stores that the home has published to, and the one that is set."""
    stores = known_stores(home.root)
    url = online_url()
    if url and url not in {store.url for store in stores}:
        stores.append(KnownStore(store_identity(home.root, url), url))
    return stores


def take_out(home: Home, person: Person) -> None:
    """Take the person out of every store that answers; the proof names those that do not."""
    for store in online_stores(home):
        try:
            if store.url:
                _take_out_of_redis(store, person)
            elif store.url == "":
                _take_out_of_sqlite(home, person)
        except NotReachedError as error:
            say(f"{store.identity}: not reached; {error}")


def contents(store: KnownStore) -> Iterator[list[bytes]]:
    """Give all that stands under each key of a Redis, the key first; of SQLite nothing.

    That is a file of the home, and searched with the others.

    Raises:
        NotReachedError: the store does not answer, or nobody knows where it is.
    """
    if store.url is None:
        raise NotReachedError(
            "an earlier version has published there and did not keep its address. Name it by "
            "TASTEMATE_ONLINE and call this again, or, if it is gone for good, remove "
            f"feast/published/*-{store.identity.split()[-1]}.sqlite from the home"
        )
    if store.url:
        with _redis(store) as client:
            for key, held in _hashes(client):
                yield [key, *(part for pair in held.items() for part in pair)]


def _take_out_of_redis(store: KnownStore, person: Person) -> None:
    is_named = _naming(person)
    with _redis(store) as client:
        for key, held in _hashes(client):
            # Others may keep keys of theirs there; Feast's end with the project's name.
            if not key.endswith(PROJECT.encode()):
                continue
            if is_named(key):
                client.delete(key)
            elif fields := [name for name, value in held.items() if is_named(name + b" " + value)]:
                client.hdel(key, *fields)


def _take_out_of_sqlite(home: Home, person: Person) -> None:
    path = Layout(home.root).online_store
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as database:
        database.create_function("is_named", 1, _naming(person))
        named = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        with database:
            for (table,) in named:
                columns = database.execute(f"pragma table_info({identifier(table)})").fetchall()
                either = " or ".join(f"is_named({identifier(column[1])})" for column in columns)
                database.execute(f"delete from {identifier(table)} where {either}")  # noqa: S608 - quoted


def _naming(person: Person) -> Callable[[object], bool]:
    def is_named(value: object) -> bool:
        data = value.encode() if isinstance(value, str) else value
        return isinstance(data, bytes) and bool(person.traces(data))

    return is_named


@contextmanager
def _redis(store: KnownStore) -> Iterator["Redis"]:
    from redis import Redis, RedisError

    try:
        with Redis.from_url(
            store.url, socket_timeout=TOOL_PATIENCE_S, socket_connect_timeout=TOOL_PATIENCE_S
        ) as client:
            yield client
    except (RedisError, OSError, ValueError) as error:
        raise NotReachedError(
            f"{error}. Start it and call this again, or, if it is gone for good, remove it from "
            "feast/online_stores.json in the home"
        ) from error


def _hashes(client: "Redis") -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Walk through the keys of the feature store, and what stands under each."""
    for key in client.scan_iter(f"*{PROJECT}*", count=_AT_ONCE):
        is_hash = client.type(key) == b"hash"
        yield key, client.hgetall(key) if is_hash else {b"": client.get(key) or b""}
