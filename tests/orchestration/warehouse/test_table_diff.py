import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.warehouse.table_diff import DiffError, diff, sentence

SCHEMA = pa.schema(
    [("id", pa.int64()), ("name", pa.string()), ("tags", pa.list_(pa.string()))]
)  # fmt: skip
Table = dict[int, tuple[str | None, list[str] | None]]
TABLES = st.dictionaries(
    st.integers(-3, 20),
    st.tuples(
        st.none() | st.text(max_size=3), st.none() | st.lists(st.text(max_size=2), max_size=2)
    ),
    max_size=12,
)


def written(path: Path, table: Table) -> str:
    rows = [{"id": key, "name": name, "tags": tags} for key, (name, tags) in table.items()]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
    return str(path)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(a=TABLES, b=TABLES)
def test_every_difference_is_found_and_no_other(tmp_path: Path, a: Table, b: Table) -> None:
    found = diff(
        written(tmp_path / "a.parquet", a), written(tmp_path / "b.parquet", b), ["id"], 100
    )
    changed = {key for key in a.keys() & b.keys() if a[key] != b[key]}
    expected = {
        "inserted": b.keys() - a.keys(),
        "deleted": a.keys() - b.keys(),
        "changed": changed,
    }
    for kind, keys in expected.items():
        assert getattr(found, kind) == len(keys)
        assert {row["id"] for row in found.examples.get(kind, [])} == keys
    assert found.is_equal == (a == b)
    assert found.changed_columns.get("name", 0) == sum(a[key][0] != b[key][0] for key in changed)


def moments(path: Path) -> str:
    table = pa.table(
        {
            "id": [1, 2, 3],
            "at": pa.array([datetime(2024, 1, day, 5, tzinfo=UTC) for day in (1, 2, 3)]),
            "score": [1.5, None, -2.0],
            "is_on": [True, False, None],
        }
    )
    pq.write_table(table, path)
    return str(path)


def in_sqlite(path: Path, score: float) -> str:
    with sqlite3.connect(path) as database:
        database.execute('create table "log s" (id integer, at text, score real, is_on integer)')
        database.executemany(
            'insert into "log s" values (?, ?, ?, ?)',
            [
                (3, "2024-01-03T05:00:00Z", -2.0, None),
                (1, "2024-01-01 05:00:00+00", score, 1),
                (2, "2024-01-02 06:00:00+01", None, 0),
            ],
        )
    database.close()
    return f"{path}::log s"


def in_duckdb(path: Path, score: float) -> str:
    with duckdb.connect(str(path)) as database:
        database.execute("create schema logs")
        database.execute(
            "create table logs.log as select id::bigint as id, "
            "timestamptz '2024-01-01 05:00:00+00' + to_days(id::int - 1) as at, "
            "case id when 1 then ? when 3 then -2.0 end::double as score, "
            "case id when 1 then true when 2 then false end as is_on from range(1, 4) t (id)",
            [score],
        )
    return f"{path}::logs.log"


@pytest.mark.parametrize("make", [in_sqlite, in_duckdb])
def test_two_engines_are_compared_by_what_they_say(
    tmp_path: Path, make: Callable[[Path, float], str]
) -> None:
    parquet = moments(tmp_path / "a.parquet")
    suffix = "sqlite" if make is in_sqlite else "duckdb"
    assert diff(parquet, make(tmp_path / f"same.{suffix}", 1.5), ["id"]).is_equal
    found = diff(parquet, make(tmp_path / f"other.{suffix}", 1.75), ["id"])
    assert (found.changed, found.changed_columns) == (1, {"score": 1})
    assert found.examples["changed"] == [{"id": 1}]
    assert "changed  id=1" in sentence(found)


def test_a_fraction_is_not_rounded_away(tmp_path: Path) -> None:
    whole, broken = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"id": [1], "n": [2]}), whole)
    for values in ([2.25], ["2.25"]):
        pq.write_table(pa.table({"id": [1], "n": values}), broken)
        assert diff(str(whole), str(broken), ["id"]).changed == 1
        assert diff(str(broken), str(whole), ["id"]).changed == 1


def test_columns_of_one_side_only_are_told(tmp_path: Path) -> None:
    a, b = tmp_path / "a.parquet", tmp_path / "b.csv"
    pq.write_table(pa.table({"id": [1, 2], "old": [0, 0]}), a)
    pa.csv.write_csv(pa.table({"id": [1, 2], "new": ["x", "y"]}), b)
    found = diff(str(a), str(b), ["id"])
    assert (found.columns_only_in_a, found.columns_only_in_b) == (["old"], ["new"])
    assert not found.is_equal
    assert found.changed == 0


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.parquet", {1: ("a", []), 2: ("b", None)})
    (tmp_path / "parts" / "day=1").mkdir(parents=True)
    written(tmp_path / "parts" / "one.parquet", {1: ("a", [])})
    written(tmp_path / "parts" / "two.parquet", {2: ("b", None)})
    assert diff(whole, str(tmp_path / "parts"), ["id"]).is_equal


def _repeated(folder: Path) -> tuple[str, str]:
    pq.write_table(pa.table({"id": [7, 7, 8], "n": [1, 2, 3]}), folder / "a.parquet")
    return str(folder / "a.parquet"), written(folder / "b.parquet", {7: ("", None)})


def _missing(folder: Path) -> tuple[str, str]:
    return str(folder / "nowhere.parquet"), moments(folder / "b.parquet")


def _without_table(folder: Path) -> tuple[str, str]:
    return in_sqlite(folder / "a.db", 1.0).partition("::")[0], moments(folder / "b.parquet")


def _broken(folder: Path) -> tuple[str, str]:
    (folder / "a.parquet").write_text("no parquet")
    return str(folder / "a.parquet"), moments(folder / "b.parquet")


def _unfit(folder: Path) -> tuple[str, str]:
    pq.write_table(pa.table({"id": [1], "at": ["soon"]}), folder / "a.parquet")
    return str(folder / "a.parquet"), moments(folder / "b.parquet")


def _ragged(folder: Path) -> tuple[str, str]:
    (folder / "a.csv").write_text("id,at,score\n1,2,3\n4,5\n6,7,8,9\n")
    return str(folder / "a.csv"), moments(folder / "b.parquet")


def test_a_key_of_many_parts_is_told_as_json_has_it(tmp_path: Path) -> None:
    at = datetime(2024, 2, 29, 12, tzinfo=UTC)
    key = {"id": [1, 2], "where": {"row": 1}, "at": at}
    for name, values in (("a", [1]), ("b", [2])):
        table = pa.table({**{part: [value] for part, value in key.items()}, "value": values})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    found = diff(str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet"), list(key))
    told = {"id": [1, 2], "where": {"row": 1}, "at": "2024-02-29 12:00:00+00:00"}
    assert found.examples["changed"] == [told]


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (_ragged, "no regular CSV"),
        (_repeated, "several rows have the key id=7"),
        (_missing, "there is no such file"),
        (_without_table, "say which table"),
        (_broken, "cannot be read"),
        (_unfit, "does not fit the other"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    tmp_path: Path, sides: Callable[[Path], tuple[str, str]], said: str
) -> None:
    with pytest.raises(DiffError, match=said):
        diff(*sides(tmp_path), ["id"])


def test_a_key_that_is_no_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path: Any = moments(tmp_path / "a.parquet")
    with pytest.raises(DiffError, match="no column who; it has id, at, score, is_on"):
        diff(path, path, ["who"])
