"""The proof: every store of a home is decoded and searched for a person.

Each file is searched as bytes too, whatever it holds: rows that were deleted but still lie in a
free page, and stores that this module does not know. What cannot be decoded is no proof.
"""

import gzip
import mmap
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag

from feature_repo.known_stores import KnownStore
from feature_repo.offline import identifier
from orchestration.forgetting.online_stores import NotReachedError, contents, online_stores
from orchestration.forgetting.person import Person
from orchestration.forgetting.records import SQLITE
from orchestration.landing.archive import quarantined_lines
from orchestration.landing.registered import registered
from serving.home import Home
from serving.vault import Vault

_DUCKDB, _DUCKDB_AT = b"DUCK", 8
_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"


@dataclass(frozen=True)
class Found:
    """A place in which the person was found, or that could not be looked into."""

    place: str
    what: str
    times: int


@dataclass
class Searched:
    """How many files and bytes of a store were searched."""

    files: int = 0
    bytes: int = 0


@dataclass
class Proof:
    """What was searched and what was found.

    holds        whether nothing was found, and everything could be looked into
    searched     the stores
    left_out     what was not searched, and why
    not_reached  online stores that rows were put into, and why they could not be searched
    """

    holds: bool = True
    searched: dict[str, Searched] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    not_reached: dict[str, str] = field(default_factory=dict)


def prove(home: Home, person: Person) -> Proof:
    """Search every store of *home* for the person's id and pseudonym."""
    proof = Proof(left_out=dict(_left_out(home)))
    skipped = [home.root / place for place in proof.left_out]
    for path in sorted(home.root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if any(path.is_relative_to(place) for place in skipped):
            continue
        _look_into(home, path, person, proof)
    for store in online_stores(home):
        _search(store, person, proof)
    proof.holds = not (proof.found or proof.not_reached)
    return proof


def _left_out(home: Home) -> Iterator[tuple[str, str]]:
    """Name the sources, which are not ours to change, and what holds no rows of people."""
    city = home.sample_city
    if city.exists():
        yield city.name, "the sample city stands for the product: a source, not a copy of one"
    for entry in registered(home):
        if not entry.path.startswith(f"{city.name}/"):
            yield entry.path, "a source: delete the person in the product itself"
    if os.environ.get("TASTEMATE_MLFLOW"):
        yield "the MLflow server", "it is told settings and figures of trainings, nothing of people"


def _look_into(home: Home, path: Path, person: Person, proof: Proof) -> None:
    place = path.relative_to(home.root)
    store = proof.searched.setdefault(place.parts[0], Searched())
    store.files += 1
    store.bytes += path.stat().st_size
    found: Counter[str] = Counter()
    try:
        for traces in _traces(home, path, person):
            found |= traces  # the same row as a value and as bytes is one
    except (pa.ArrowException, OSError, sqlite3.Error, duckdb.Error, InvalidTag) as error:
        proof.found.append(Found(str(place), f"not decoded: {type(error).__name__}", 1))
    proof.found += [Found(str(place), what, times) for what, times in sorted(found.items())]


def _traces(home: Home, path: Path, person: Person) -> Iterator[Counter[str]]:
    """Search a file as bytes, and by what its first bytes say it is."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield person.traces(data)
        begins = data[: max(len(SQLITE), _DUCKDB_AT + len(_DUCKDB))]
    if begins.startswith(_PARQUET):
        yield _in_batches(pq.ParquetFile(path).iter_batches(), person)
        if path.is_relative_to(home.quarantine):
            lines = quarantined_lines(home, path)
            yield _total(person.traces_of_unreadable(line) for _, line in lines)
    elif begins.startswith(SQLITE):
        yield _in_sqlite(path, person)
        if path == home.vault:
            yield _in_vault(home, person)
    elif begins[_DUCKDB_AT:].startswith(_DUCKDB):
        yield _in_duckdb(path, person)
    elif begins.startswith(_GZIP):
        with gzip.open(path) as unpacked:
            yield person.traces(unpacked.read())


def _in_batches(batches: Iterable[pa.RecordBatch], person: Person) -> Counter[str]:
    return _total(
        _in_values(name, values, person)
        for batch in batches
        for column, name in zip(batch.columns, batch.schema.names, strict=True)
        for name, values in _leaves(name, column)
    )


def _leaves(name: str, values: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    """Unfold a nested column into its values, each with the name that stands nearest."""
    if pa.types.is_struct(values.type):
        for position, inner in enumerate(values.flatten()):
            yield from _leaves(values.type.field(position).name, inner)
    elif pa.types.is_map(values.type):
        yield from _leaves(name, values.keys)
        yield from _leaves(name, values.items)
    elif pa.types.is_nested(values.type):
        yield from _leaves(name, values.flatten())
    elif pa.types.is_dictionary(values.type):
        yield name, values.dictionary_decode()
    else:
        yield name, values


def _in_values(name: str, values: pa.Array, person: Person) -> Counter[str]:
    """Search a column; in one of user ids, a value that equals the id is the id."""
    traces: Counter[str] = Counter()
    if name in person.columns and not pa.types.is_binary(values.type):
        equal = pc.sum(pc.equal(values.cast(pa.string()), person.user_id)).as_py() or 0
        traces += Counter(id=equal)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        texts = values.filter(pc.match_substring_regex(values, person.hint)).to_pylist()
        traces |= _total(person.traces(text.encode()) for text in texts)
    elif pa.types.is_binary(values.type):
        traces |= _total(person.traces(value) for value in values.drop_null().to_pylist())
    return traces


def _in_sqlite(path: Path, person: Person) -> Counter[str]:
    traces: Counter[str] = Counter()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        named = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in named:
            rows = database.execute(f"select * from {identifier(table.decode())}")  # noqa: S608 - quoted
            columns = [column[0] for column in rows.description]
            for row in rows:
                traces += _total(map(_in_cell(person), columns, row))
    return traces


def _in_cell(person: Person) -> Any:
    own = person.user_id.encode()

    def traces(column: str, value: object) -> Counter[str]:
        data = value if isinstance(value, bytes) else str(value).encode()
        if column in person.columns and data == own:
            return Counter(id=1)
        return person.traces(data)

    return traces


def _in_vault(home: Home, person: Person) -> Counter[str]:
    """Open every id of the vault."""
    with closing(sqlite3.connect(f"{home.vault.as_uri()}?mode=ro", uri=True)) as database:
        pseudonyms = [pseudonym for (pseudonym,) in database.execute("select pseudonym from users")]
    with closing(Vault(home)) as vault:
        ids = vault.reveal(pseudonyms).values()
    return Counter(id=sum(user_id == person.user_id for user_id in ids))


def _in_duckdb(path: Path, person: Person) -> Counter[str]:
    traces: Counter[str] = Counter()
    with duckdb.connect(str(path), read_only=True) as database:
        tables = database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for names in tables:
            table = ".".join(map(identifier, names))
            rows = database.cursor().execute(f"from {table}").to_arrow_reader()
            traces += _in_batches(rows, person)
    return traces


def _search(store: KnownStore, person: Person, proof: Proof) -> None:
    """Search an online store that is no file of the home."""
    searched, traces = Searched(), Counter[str]()
    try:
        for data in contents(store):
            searched.files += 1
            searched.bytes += sum(map(len, data))
            traces += _total(map(person.traces, data))
    except NotReachedError as error:
        proof.not_reached[store.identity] = str(error)
        return
    if store.url:
        proof.searched[store.identity] = searched
    proof.found += [Found(store.identity, what, times) for what, times in sorted(traces.items())]


def _total(counts: Iterable[Counter[str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for count in counts:
        found += count
    return found
