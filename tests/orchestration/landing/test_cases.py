"""Small logs of every make, and what is right for each: `tests/cases/any_log/cases.yml` tells.

All land in one home and are judged together, since dbt is slow to start.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.landing import land, load_mapping
from orchestration.landing.errors import LandingError
from orchestration.landing.replay import replay
from orchestration.warehouse.dbt_command import run_dbt
from serving.home import Home

LOGS = Path(__file__).parents[2] / "cases" / "any_log"
CASES: dict[str, dict[str, Any]] = yaml.safe_load((LOGS / "cases.yml").read_text())
STAGED = "select * from staging.stg_interactions__{} where source = ? order by line_number"
KEPT = "select * from marts.fct_events where source = ?"


@dataclass
class Outcome:
    """What became of a log: why it was refused, or how each of its lines was read."""

    refused: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)

    def beside(self, right: dict[str, Any]) -> dict[str, Any]:
        """Tell of this outcome what *right* tells, in the same form."""
        return {part: getattr(self, f"_{part}")(asked) for part, asked in right.items()}

    def _refused(self, words: str) -> str:
        return words if words in self.refused else self.refused

    def _counts(self, _: object) -> dict[str, int]:
        return dict(Counter(event["reason"] or event["line_status"] for event in self.events))

    def _events(self, asked: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        return _lines(self.events, asked)

    def _places(self, asked: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        return _lines(self.places, asked)

    def _distinct(self, columns: dict[str, int]) -> dict[str, int]:
        accepted = [event for event in self.events if event["line_status"] == "accepted"]
        return {column: len({event[column] for event in accepted}) for column in columns}

    def _kept(self, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{column: event[column] for column in asked[0]} for event in self.kept]


def _lines(
    rows: list[dict[str, Any]], asked: dict[int, dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Give of the lines and columns that are *asked* for what is there."""
    return {
        row["line_number"]: {column: row[column] for column in asked[row["line_number"]]}
        for row in rows
        if row["line_number"] in asked
    }


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Land every log in one home and let the models judge them."""
    home = Home(tmp_path_factory.mktemp("logs") / "home")
    outcomes = {log: Outcome(refused=landed(home, log)) for log in logs()}
    home.dbt.mkdir()
    run_dbt(home, "run", "--select", "+fct_events", tell=lambda _: None)
    with duckdb.connect(home.warehouse, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for log, outcome in outcomes.items():
            outcome.events = rows(connection, STAGED.format("events"), log)
            outcome.places = rows(connection, STAGED.format("places"), log)
            outcome.kept = rows(connection, KEPT, log)
    return outcomes


def logs() -> list[str]:
    return sorted(path.parent.name for path in LOGS.glob("*/map.yml"))


def landed(home: Home, log: str) -> str:
    """Land *log*; tell why that is refused, or nothing."""
    try:
        land(home, load_mapping(LOGS / log / "map.yml"), LOGS / log / "export")
    except LandingError as error:
        return str(error)
    return ""


def rows(connection: duckdb.DuckDBPyConnection, sql: str, log: str) -> list[dict[str, Any]]:
    found = connection.execute(sql, [log])
    names = [name for name, *_ in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def met(outcome: Outcome, case: dict[str, Any]) -> dict[str, Any] | None:
    """Give the right outcome that this is, if it is one."""
    rights = (case[name] for name in ("right", "or") if name in case)
    return next((right for right in rights if outcome.beside(right) == right), None)


def log_of(name: str) -> str:
    return str(CASES[name].get("log", name))


def names(*, holds: bool) -> list[str]:
    return [name for name, case in CASES.items() if case["holds"] is holds]


def test_every_log_has_its_right_outcome() -> None:
    assert sorted(set(map(log_of, CASES))) == logs()
    assert [name for name, case in CASES.items() if not (case["shows"] and case["right"])] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", names(holds=True))
def test_a_log_comes_out_right(outcomes: dict[str, Outcome], name: str) -> None:
    case, outcome = CASES[name], outcomes[log_of(name)]
    right = met(outcome, case) or case["right"]
    assert outcome.beside(right) == right


@pytest.mark.slow
@pytest.mark.parametrize("name", names(holds=False))
def test_a_case_that_is_mended_is_marked_so(outcomes: dict[str, Outcome], name: str) -> None:
    is_mended = met(outcomes[log_of(name)], CASES[name]) is not None
    assert not is_mended, f"{name} comes out right: write 'holds: true' in {LOGS.name}/cases.yml"


def test_a_latin_1_line_of_a_csv_lands_after_iconv(home: Home) -> None:
    assert landed(home, "csv_latin1") == ""
    (replayed,) = replay(home, reason="not_text", through="iconv -f latin1 -t utf-8")
    assert (replayed.lines, replayed.landed) == (1, 1)
