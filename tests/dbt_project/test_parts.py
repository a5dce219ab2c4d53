"""Models made in parts, of numbers, in a project of their own: they come out whole, or fail."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.home.environment import DBT_PROJECT, exports
from serving.home import Home

PROJECT = """
name: numbers
profile: numbers
vars: {events_in_part: 10}
models: {numbers: {+materialized: table, +post-hook: "{{ add_other_parts() }}"}}
"""
PROFILE = "numbers: {target: it, outputs: {it: {type: duckdb, path: numbers.duckdb}}}"
NUMBERS = "select number from range(35) as numbers (number) where "
IN_PART = "{{ is_in_part('number', 'range(35)', 'true') }}"
MODELS = {
    # Two conditions of parts, and one on a hash that has nothing to do with them.
    "whole": f"with chosen as ({NUMBERS} {IN_PART} and hash(number) % 2 = 0) "
    "select number, number in (from chosen) as is_chosen "
    f"from ({NUMBERS} {{{{ is_in_part('numbers.number', 'range(35)', 'true') }}}})",
    "unmarked": f"{NUMBERS} hash(number) % 4 = 0",
    "altered": f"{NUMBERS} {IN_PART} and {{{{ is_in_part('number', 'range(35)', 'true') "
    "| replace('= 0', 'in (0)') }}",
    "differing": f"{NUMBERS} {IN_PART} and {{{{ is_in_part('number', 'range(25)', 'true') }}}}",
}


@dataclass(frozen=True)
class Ran:
    """What dbt said, in one line, and the warehouse that it left."""

    said: str
    warehouse: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("numbers")
    for name in ("macros", "models"):
        (folder / name).mkdir()
    shutil.copy(DBT_PROJECT / "macros" / "parts.sql", folder / "macros")
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILE)
    for name, sql in MODELS.items():
        (folder / "models" / f"{name}.sql").write_text(sql)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "run"],
        cwd=folder,
        env=os.environ
        | exports(Home(folder))
        | {name: str(folder) for name in ("DBT_PROJECT_DIR", "DBT_PROFILES_DIR")},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(" ".join(done.stdout.split()), folder / "numbers.duckdb")


def test_all_parts_together_are_the_whole(ran: Ran) -> None:
    expected = "select number, hash(number) % 2 = 0 from range(35) as numbers (number)"
    with duckdb.connect(ran.warehouse, read_only=True) as warehouse:
        rows = warehouse.execute("select number, is_chosen from whole order by number").fetchall()
        assert rows == warehouse.execute(f"{expected} order by number").fetchall()


@pytest.mark.parametrize(
    ("model", "marked", "found", "parts"),
    [("unmarked", 0, 0, "nothing"), ("altered", 2, 1, "4"), ("differing", 2, 2, "4, 3")],
)
def test_a_model_fails_where_not_every_condition_is_found_as_expected(
    ran: Ran, model: str, marked: int, found: int, parts: str
) -> None:
    assert (
        f"{model} cannot be made in parts: its compiled SQL is marked /* is_in_part */ {marked} "
        f"times, and a condition % N = 0 is found {found} times, with N = {parts}. Expected is"
    ) in ran.said
    with duckdb.connect(ran.warehouse, read_only=True) as warehouse:
        assert not warehouse.execute(
            "select 1 from duckdb_tables() where table_name = ?", [model]
        ).fetchall()
