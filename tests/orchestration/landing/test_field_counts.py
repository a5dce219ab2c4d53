import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.landing import land
from orchestration.landing.field_counts import LOOKED_AT, ROOT, FieldCounter, Fields
from serving.home import Home

CONNECTION = duckdb.connect()
Write = Callable[[str, bytes], Path]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def counted(*documents: Any) -> Fields:
    counter = FieldCounter(CONNECTION)
    texts = [None if doc is None else json.dumps(doc) for doc in documents]
    counter.add(pa.array(texts, pa.string()))
    return counter.counts()


def test_every_field_is_counted_with_each_of_its_types() -> None:
    assert counted(
        {"at": "2024-01-01", "n": 1, "tags": ["a", "b"]},
        {"at": {"$date": {"$numberLong": "1"}}, "n": -1.5, "tags": []},
        None,
        {"at": None, "deep": {"er": {"and": {"deeper": 1}}}},
    ) == {
        ("", "OBJECT"): 3,
        ("at", "VARCHAR"): 1,
        ("at", "OBJECT"): 1,
        ("at", "NULL"): 1,
        ("at.$date", "OBJECT"): 1,
        ("at.$date.$numberLong", "VARCHAR"): 1,
        ("n", "UBIGINT"): 1,
        ("n", "DOUBLE"): 1,
        ("tags", "ARRAY"): 2,
        ("tags.[]", "VARCHAR"): 1,
        ("tags.[]", "NULL"): 1,
        ("deep", "OBJECT"): 1,
        ("deep.er", "OBJECT"): 1,
        ("deep.er.and", "OBJECT"): 1,
    }


def test_of_many_documents_a_sample_spread_over_all_is_looked_at() -> None:
    counts = counted(*({"half": n < LOOKED_AT} | {"n": n} for n in range(2 * LOOKED_AT)))
    assert counts[ROOT, "OBJECT"] == LOOKED_AT
    odd = counted(*({"a": 1} if n % 2 else {"a": "x"} for n in range(LOOKED_AT + 1)))
    assert odd[ROOT, "OBJECT"] == LOOKED_AT // 2 + 1


def test_of_very_many_fields_the_same_are_kept_whenever_a_file_lands() -> None:
    names = [f"f{n:04}" for n in range(1500)]
    counts = counted(dict.fromkeys(names, 1), {names[-1]: 1})
    assert set(counts) == {
        (ROOT, "OBJECT"), (names[-1], "UBIGINT"), *((name, "UBIGINT") for name in names[:998]),
    }  # fmt: skip


def test_what_is_nested_without_end_is_passed_over() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = {"a": deep}
    assert counted(deep, {"b": 1}) == {("", "OBJECT"): 1, ("b", "UBIGINT"): 1}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=5))
def test_any_document_is_counted_once_at_its_root(documents: list[dict[str, Any]]) -> None:
    counts = counted(*documents)
    assert counts[ROOT, "OBJECT"] >= len([doc for doc in documents if doc])
    assert max(counts.values()) <= len(documents)


def test_the_ledger_keeps_the_fields_of_a_file_under_its_id(home: Home, write: Write) -> None:
    folder = write("likes.jsonl", b'{"user_id": 1, "shop": 5}\nnope\n{"user_id": 2}\n')
    (file,) = land(home, "sample", folder)
    rows = pq.read_table(home.landed_fields).to_pylist()
    assert {row["file_id"] for row in rows} == {file.file_id}
    assert {(row["path"], row["json_type"]): row["documents"] for row in rows} == {
        ("", "OBJECT"): 2,
        ("user_id", "VARCHAR"): 2,
        ("shop", "UBIGINT"): 1,
    }
