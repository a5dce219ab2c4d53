"""A data diff: which rows differ between two tables, by hashes of buckets, told by key.

Each side is hashed once, bucket by bucket; only buckets whose hashes differ are looked into,
row by row. Both sides may lie in other engines: what is compared is what they say.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from pydantic import JsonValue

from orchestration.home.sql import identifier, literal

BUCKETS = 4096
_ROWS_AT_ONCE = 50_000
_READERS = {
    ".parquet": "read_parquet({})",
    # Nothing is guessed but types: where lines are ragged, guesses pass over what does not fit.
    ".csv": "read_csv({}, delim = ',', header = true, skip = 0)",
    ".jsonl": "read_json({})",
    ".ndjson": "read_json({})",
    ".json": "read_json({})",
}
_DATABASES = {".duckdb", ".sqlite", ".sqlite3", ".db"}
FORMS = (
    "a .parquet, .csv or .jsonl file, a folder of Parquet files, or TABLE in a database, written "
    "FILE.duckdb::SCHEMA.TABLE or FILE.sqlite::TABLE"
)


class DiffError(ValueError):
    """Two tables cannot be compared as asked."""


@dataclass
class Differences:
    """What a comparison found; rows are told by their keys.

    They are equal where both sides have the same columns and the same rows.
    inserted rows are only in B, deleted ones only in A; ``changed_columns`` counts, for the
    rows of one key on both sides, in which columns they differ.
    """

    rows_a: int
    rows_b: int
    key: list[str]
    is_equal: bool = False
    inserted: int = 0
    deleted: int = 0
    changed: int = 0
    changed_columns: dict[str, int] = field(default_factory=dict)
    columns_only_in_a: list[str] = field(default_factory=list)
    columns_only_in_b: list[str] = field(default_factory=list)
    examples: dict[str, list[Mapping[str, JsonValue]]] = field(default_factory=dict)
    seconds: float = 0.0


def diff(a: str, b: str, key: list[str], examples: int = 5) -> Differences:
    """Compare two tables by *key*, the columns that name a row.

    a, b: a file, a folder, or FILE::TABLE (see `FORMS`).

    Raises:
        DiffError: a side is not there or cannot be read, lacks the key, or repeats it.
    """
    begun = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        _open(connection, "a", a)
        _open(connection, "b", b)
        try:
            differences = _compare(connection, (a, b), key, examples)
        except duckdb.ConversionException as error:
            raise DiffError(
                f"{a} and {b}: a column has two types, and a value of the one does not fit the "
                f"other: {error}"
            ) from error
        except duckdb.InvalidInputException as error:
            raise DiffError(f"{a} or {b}: cannot be read: {error}") from error
    rows = differences.inserted + differences.deleted + differences.changed
    differences.is_equal = not (
        rows or differences.columns_only_in_a or differences.columns_only_in_b
    )
    differences.seconds = round(time.perf_counter() - begun, 3)
    return differences


def sentence(differences: Differences) -> str:
    """Tell a person what was found."""
    if differences.is_equal:
        return f"Equal: {differences.rows_a:,} rows, in {differences.seconds:.1f} s."
    summary = (
        f"{differences.rows_a:,} rows in A, {differences.rows_b:,} in B, "
        f"compared in {differences.seconds:.1f} s: {differences.inserted:,} only in B, "
        f"{differences.deleted:,} only in A, {differences.changed:,} changed."
    )
    lines = [summary]
    for side, columns in (
        ("A", differences.columns_only_in_a),
        ("B", differences.columns_only_in_b),
    ):
        if columns:
            lines.append(f"Columns only in {side}: {', '.join(columns)}")
    if differences.changed_columns:
        counts = (f"{name} ({count:,})" for name, count in differences.changed_columns.items())
        lines.append(f"Changed columns: {', '.join(counts)}")
    for kind, rows in differences.examples.items():
        lines += [
            f"  {kind:9}" + ", ".join(f"{name}={row[name]}" for name in differences.key)
            for row in rows
        ]
    return "\n".join(lines)


def _compare(
    connection: duckdb.DuckDBPyConnection, names: tuple[str, str], key: list[str], examples: int
) -> Differences:
    types_a, types_b = _types(connection, "source_a"), _types(connection, "source_b")
    for name, types in zip(names, (types_a, types_b), strict=True):
        if missing := [column for column in key if column not in types]:
            raise DiffError(
                f"{name}: has no column {', '.join(missing)}; it has {', '.join(types)}. "
                "Choose others with --key."
            )
    shared = [column for column in types_a if column in types_b]
    common = {name: _common(connection, types_a[name], types_b[name]) for name in shared}
    for side in ("a", "b"):
        columns = ", ".join(_cast(name, to) for name, to in common.items())
        connection.execute(f"create view {side} as select {columns} from source_{side}")  # noqa: S608
    differing = _differing_buckets(connection, key, common)
    differences = Differences(
        rows_a=_count(connection, "source_a"),
        rows_b=_count(connection, "source_b"),
        key=key,
        columns_only_in_a=[column for column in types_a if column not in types_b],
        columns_only_in_b=[column for column in types_b if column not in types_a],
    )
    if differing:
        _look_into(connection, names, differences, common, examples)
    return differences


def _differing_buckets(
    connection: duckdb.DuckDBPyConnection, key: list[str], types: dict[str, str]
) -> int:
    """Put the buckets whose hashes differ into a table, and count them."""
    bucket = _bucket(key, types)
    for side in ("a", "b"):
        connection.execute(
            f"create temp table buckets_{side} as select {bucket} as bucket, count(*) as row_count,"  # noqa: S608
            f" sum({_hash(types)}) as rows_hash from {side} group by bucket"
        )
    connection.execute(
        "create temp table differing as select bucket from buckets_a full join buckets_b "
        "using (bucket) where buckets_a.row_count is distinct from buckets_b.row_count "
        "or buckets_a.rows_hash is distinct from buckets_b.rows_hash"
    )
    return _count(connection, "differing")


def _look_into(
    connection: duckdb.DuckDBPyConnection,
    names: tuple[str, str],
    differences: Differences,
    types: dict[str, str],
    examples: int,
) -> None:
    """Compare the rows of the differing buckets."""
    key = differences.key
    for side, name in zip(("a", "b"), names, strict=True):
        connection.execute(
            f"create temp table rows_{side} as select *, {_hash(types)} as row_hash from {side} "  # noqa: S608
            f"where {_bucket(key, types)} in (select bucket from differing)"
        )
        _refuse_repeated(connection, side, name, key)
    same = " and ".join(
        f"a.{identifier(name)} is not distinct from b.{identifier(name)}" for name in key
    )
    keys = ", ".join(
        f"if(a.row_hash is null, b.{identifier(name)}, a.{identifier(name)}) as {identifier(name)}"
        for name in key
    )
    connection.execute(
        f"create temp table found as select {keys}, case "  # noqa: S608
        "when a.row_hash is null then 'inserted' when b.row_hash is null then 'deleted' "
        f"else 'changed' end as difference from rows_a as a full join rows_b as b on {same} "
        "where a.row_hash is distinct from b.row_hash"
    )
    for kind, count in connection.execute(
        "select difference, count(*) from found group by difference"
    ).fetchall():
        setattr(differences, kind, count)
    columns = ", ".join(map(identifier, key))
    for kind in ("inserted", "deleted", "changed"):
        rows = connection.execute(
            f"select {columns} from found where difference = ? order by all limit ?",  # noqa: S608
            (kind, examples),
        ).fetchall()
        differences.examples[kind] = [dict(zip(key, map(_told, row), strict=True)) for row in rows]
    if differences.changed:
        differences.changed_columns = _changed_columns(connection, list(types), same)


def _told(value: object) -> JsonValue:
    """Tell a key's value as JSON can: what it has no word for, such as a date, as text."""
    if isinstance(value, dict):
        return {str(name): _told(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _changed_columns(
    connection: duckdb.DuckDBPyConnection, shared: list[str], same: str
) -> dict[str, int]:
    counts = ", ".join(
        f"count(*) filter (where a.{identifier(name)} is distinct from b.{identifier(name)})"
        for name in shared
    )
    (row,) = connection.execute(
        f"select {counts} from rows_a as a inner join rows_b as b on {same} "  # noqa: S608
        "where a.row_hash <> b.row_hash"
    ).fetchall()
    return {name: count for name, count in zip(shared, row, strict=True) if count}


def _refuse_repeated(
    connection: duckdb.DuckDBPyConnection, side: str, name: str, key: list[str]
) -> None:
    columns = ", ".join(map(identifier, key))
    repeated = connection.execute(
        f"select {columns} from rows_{side} group by all having count(*) > 1 limit 1"  # noqa: S608
    ).fetchall()
    if repeated:
        shown = ", ".join(f"{n}={value!r}" for n, value in zip(key, repeated[0], strict=True))
        raise DiffError(f"{name}: several rows have the key {shown}. Name more columns: --key A,B")


def _open(connection: duckdb.DuckDBPyConnection, side: str, spec: str) -> None:
    """Make *spec* the table ``source_a`` or ``source_b``."""
    path_text, _, table = spec.partition("::")
    path = Path(path_text).expanduser()
    if not path.exists():
        raise DiffError(f"{path}: there is no such file. Compare {FORMS}.")
    suffix = "".join(path.suffixes[-2:]).removesuffix(".gz") if path.is_file() else ".parquet"
    suffix = "." + suffix.rpartition(".")[2]
    if suffix in _DATABASES and not table:
        raise DiffError(f"{path}: say which table: {path}::TABLE")
    if suffix not in _READERS and suffix not in _DATABASES:
        raise DiffError(f"{path}: cannot be read as a table. Compare {FORMS}.")
    try:
        if suffix in _READERS:
            pattern = str(path / "**" / "*.parquet") if path.is_dir() else str(path)
            relation = _READERS[suffix].format(literal(pattern))
        elif suffix == ".duckdb":
            connection.execute(f"attach {literal(str(path))} as attached_{side} (read_only)")
            steps = ".".join(map(identifier, table.split(".")))
            relation = f"attached_{side}.{steps}"
        else:
            connection.register(f"sqlite_{side}", _sqlite_table(path, table))
            relation = f"sqlite_{side}"
        connection.execute(f"create view source_{side} as select * from {relation}")  # noqa: S608
        _types(connection, f"source_{side}")
    except (duckdb.Error, sqlite3.Error) as error:
        if suffix == ".csv" and "sniffing" in str(error):
            raise DiffError(
                f"{spec}: no regular CSV: every line must have as many fields as the header, with "
                "commas between them."
            ) from error
        raise DiffError(f"{spec}: cannot be read: {error}") from error


def _sqlite_table(path: Path, table: str) -> pa.Table:
    """Read a table of SQLite, for which DuckDB would have to download an extension."""
    with _read_only(path) as database:
        cursor = database.execute(f"select * from {identifier(table)}")  # noqa: S608
        names = [column[0] for column in cursor.description]
        batches = []
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            columns = [pa.array(values) for values in zip(*rows, strict=True)]
            batches.append(pa.table(columns, names=names))
    empty = pa.table({name: pa.array([], pa.string()) for name in names})
    return pa.concat_tables(batches, promote_options="permissive") if batches else empty


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()


def _types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    described = connection.execute(f"describe {table}").fetchall()
    return {row[0]: row[1] for row in described}


def _common(connection: duckdb.DuckDBPyConnection, a: str, b: str) -> str:
    """Choose the type in which the values of both sides are compared, none of them rounded."""
    if a == b:
        return a
    if "VARCHAR" in {a, b}:
        other = b if a == "VARCHAR" else a
        # A text with a fraction would be rounded to fit; written as text, none is.
        return "VARCHAR" if other.endswith(("INT", "INTEGER")) else other
    both = f"describe select cast(null as {a}) as value union all select cast(null as {b})"
    return str(connection.execute(both).fetchall()[0][1])


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])  # noqa: S608


def _bucket(key: list[str], types: dict[str, str]) -> str:
    return f"{_hash({name: types[name] for name in key})} % {BUCKETS}"


def _hash(types: dict[str, str]) -> str:
    return "hash(" + ", ".join(_hashable(name, of) for name, of in types.items()) + ")"


def _hashable(column: str, of: str) -> str:
    """Write nested values as JSON: DuckDB's hash of an empty list is that of no list."""
    is_nested = of.endswith("]") or of.startswith(("STRUCT", "MAP", "UNION"))
    return f"to_json({identifier(column)})::varchar" if is_nested else identifier(column)


def _cast(column: str, to: str) -> str:
    return f"cast({identifier(column)} as {to}) as {identifier(column)}"
