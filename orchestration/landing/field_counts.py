"""Which fields the documents of a file have, and of which types: by this, drift is noticed."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

ROOT = ""
"""The path of the documents themselves; its count is how many were looked at."""
LOOKED_AT = 2_000
"""So many documents of each batch are looked at, evenly spaced: all of a small file."""
_DEEPEST = 3
_MOST_FIELDS = 1_000
_MOST_OPENINGS = 200  # DuckDB's json_structure overflows the stack on deep nesting

Fields = dict[tuple[str, str], int]
"""How many of the documents looked at have a field, by (path, JSON type)."""


class FieldCounter:
    """Counts the fields of one file's documents, batch by batch."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, docs: pa.Array) -> None:
        """Look at a sample of *docs*, JSON texts; nulls and very nested ones are passed over."""
        told = docs.drop_null()
        step = max(1, -(-len(told) // LOOKED_AT))
        sample = told.take(pa.array(range(0, len(told), step), pa.int64()))
        readable = sample.filter(pc.less_equal(_openings(sample), _MOST_OPENINGS))
        self._connection.register("documents", pa.table({"doc": readable}))
        structures = self._connection.execute(
            "select json_structure(doc)::varchar, count(*) from documents group by all"
        ).fetchall()
        self._connection.unregister("documents")
        for structure, count in structures:
            fields = {field for field in _fields_of(json.loads(structure), ()) if field[0]}
            for field in {(ROOT, "OBJECT"), *fields}:
                self._counts[field] += count

    def counts(self) -> Fields:
        """Give the counts, of the most frequent fields where a file has very many.

        Of those that are as frequent, the first by name: landed again, a file has the same ones.
        """
        ranked = sorted(self._counts.items(), key=lambda counted: (-counted[1], counted[0]))
        return dict(ranked[:_MOST_FIELDS])


def _openings(docs: pa.Array) -> pa.Array:
    """Count the brackets that open in each text: it is nested no deeper than that."""
    return pc.add(pc.count_substring(docs, "{"), pc.count_substring(docs, "["))


def _fields_of(structure: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """List the fields of a document's *structure* as DuckDB tells it; elements share a path."""
    name = ".".join(path)
    match structure:
        case dict():
            yield name, "OBJECT"
            for key, inner in structure.items() if len(path) < _DEEPEST else ():
                yield from _fields_of(inner, (*path, key))
        case [element]:
            yield name, "ARRAY"
            yield from _fields_of(element, (*path, "[]")) if len(path) < _DEEPEST else ()
        case _:
            yield name, str(structure)
