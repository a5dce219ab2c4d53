import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.delivery.run_report import Failure
from orchestration.delivery.write_report import write_report
from orchestration.reliability import budget
from orchestration.reliability.history import (
    CheckLogError,
    LoggedCheck,
    checks_of,
    logged,
    remember,
)
from orchestration.reliability.indicators import LandedLines, Records
from orchestration.reliability.objectives import Objectives, SloError
from serving.home import Home

NOW = datetime(2024, 3, 10, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def landed(source: str, at: datetime, *counts: int) -> LandedLines:
    """Take accepted, duplicates, quarantined and erased lines."""
    accepted, duplicates, quarantined, erased = counts
    lines_in = accepted + duplicates + quarantined + erased
    return LandedLines(source, at, lines_in, accepted, duplicates, erased)


def check(at: datetime, rows: int, wrong: int, *, right_after: bool = True) -> LoggedCheck:
    return LoggedCheck("online", at.isoformat(), rows, wrong, right_after)


RECORDS = Records(
    now=NOW,
    files=[
        landed("city", ago(days=40), 0, 0, 50, 0),
        landed("city", ago(days=2), 90, 5, 5, 0),
        landed("city", ago(hours=30), 95, 4, 0, 1),
        landed("other", ago(days=9), 1, 0, 0, 0),
    ],
    runs=[ago(days=2.5), ago(days=1), ago(hours=1)],
    published=[ago(days=4), ago(days=1), ago(hours=1)],
    checks=[check(ago(days=3), 1000, 1), check(ago(days=1), 1000, 0)],
    tables=["marts/dim_users"],
)


def value(objective: str, **more: object) -> list[tuple[str, float | None, float | None]]:
    kind, name, indicator = objective.split()
    one = {kind: name, "indicator": indicator, "target": 0.9, "window_days": 10, **more}
    judged = budget.judge(RECORDS, Objectives.model_validate({"sla": "-", "objectives": [one]}))
    return [(standing.name, standing.value, standing.budget_left) for standing in judged]


def test_completeness_counts_quarantined_lines_against_and_forgotten_ones_not_at_all():
    # 194 of 199 lines; the file of 40 days ago lies outside the window.
    assert value("source city completeness") == [("city", 0.974874, 0.74874)]


def test_a_star_stands_for_every_source():
    assert [name for name, *_ in value("source * completeness")] == ["city", "other"]


def test_a_source_is_fresh_if_its_newest_landing_was_young_at_each_run_and_is_now():
    # Ages at runs: 37.5 days (of the landing 40 days ago), 6 h, 29 h; now 30 h.
    assert value("source city freshness", max_age_hours=24) == [("city", 0.25, -6.5)]
    assert value("source city freshness", max_age_hours=30) == [("city", 0.75, -1.5)]


def test_a_table_is_as_old_as_the_state_before_each_run():
    # 72 h before the second run, 23 h before the third, 1 h now.
    found = value("table * freshness", max_age_hours=24)
    assert found == [("marts/dim_users", 0.666667, -2.33333)]


def test_correctness_is_the_share_of_rows_found_right():
    assert value("table online correctness", target=0.999) == [("online", 0.9995, 0.5)]


def test_what_was_never_measured_is_neither_met_nor_missed():
    (found,) = value("source nobody completeness")
    assert found == ("nobody", None, None)


def test_a_gap_counts_only_from_a_check_after_which_all_was_right(tmp_path: Path):
    home = Home(tmp_path)
    for one in (
        check(ago(days=9), 100, 0),
        check(ago(days=7), 100, 3, right_after=False),
        check(ago(days=6), 100, 3),
        check(ago(days=2), 100, 1),
    ):
        remember(home, one)
    assert [(c.gap, c.wrong) for c in checks_of(home, "online")] == [(2, 3), (4, 1)]


def test_a_line_that_is_no_check_is_named(tmp_path: Path):
    home = Home(tmp_path)
    remember(home, check(NOW, 1, 0))
    with home.check_log.open("a") as log:
        log.write("{}\n")
    with pytest.raises(CheckLogError, match=r"checks\.jsonl:2: this is no check"):
        logged(home)


def small_home(root: Path) -> Home:
    home = Home(root)
    home.marts.mkdir()
    file = landed("city", ago(hours=5), 9, 0, 1, 0)
    files = [{**vars(file), "quarantined": 1, "name": "a.jsonl", "kind": "likes"}]
    pq.write_table(pa.Table.from_pylist(files), home.marts / "fct_landed_files.parquet")
    remember(home, check(ago(days=1), 400_000, 4))
    return home


def test_the_run_report_keeps_objectives_and_what_is_left_of_their_budgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TASTEMATE_NOW", NOW.isoformat())
    home = small_home(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        report = write_report(home, instance, "r1", "succeeded")
    by = {(one.name, one.indicator): one for one in report.slo}
    assert by["city", "completeness"].met is False
    assert by["city", "completeness"].budget_left == pytest.approx(-9)
    assert by["city", "freshness"].met is True
    assert by["online", "correctness"].budget_left == pytest.approx(0.9)
    kept = json.loads((home.reports / "latest.json").read_text())
    assert kept["slo"][0]["source"] == "city"
    assert "table" not in kept["slo"][0]
    assert (
        "| city | completeness | 0.9900 | 0.9000 | no |" in (home.reports / "latest.md").read_text()
    )


def test_a_report_says_that_the_objectives_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken() -> Objectives:
        raise SloError("slo.yml: objectives.0.target is 2.")

    monkeypatch.setattr(budget, "load_objectives", broken)
    with dg.DagsterInstance.ephemeral() as instance:
        report = write_report(small_home(tmp_path), instance, "r1", "succeeded")
    assert report.failures == [Failure("slo", "slo.yml: objectives.0.target is 2.")]
    assert report.slo == []
