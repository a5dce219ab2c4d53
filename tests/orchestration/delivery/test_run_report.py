import os
import signal
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from orchestration.delivery.report_text import as_markdown
from orchestration.delivery.run_report import FailedCheck, Failure, Headline, latest_report
from orchestration.delivery.write_report import write_report
from orchestration.landing.errors import MappingError
from serving import champion
from serving.home import Home
from serving.processes import KILLED


def test_the_report_of_a_failed_run_says_what_failed_and_why(tmp_path: Path) -> None:
    @dg.op
    def landing() -> None:
        raise MappingError("bookings.csv: the column 'venue' is not in the file.")

    @dg.job
    def work() -> None:
        landing()

    home = Home(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        run = work.execute_in_process(instance=instance, raise_on_error=False)
        report = write_report(home, instance, run.run_id, "failed")
    said = "bookings.csv: the column 'venue' is not in the file."
    assert report.failures == [Failure("landing", said)]
    assert latest_report(home) == report
    assert "Nothing is live yet." in as_markdown(report)
    assert f"- `landing`: {said}" in as_markdown(report)
    assert (home.reports / "latest.md").read_text() == as_markdown(report)


@dg.op
def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dg.job
def killing() -> None:
    killed()


@pytest.mark.slow
def test_a_step_whose_process_was_killed_is_named_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    made = ReconstructableJob.for_file(__file__, "killing")
    with dg.DagsterInstance.local_temp() as instance, dg.execute_job(made, instance) as run:
        report = write_report(home, instance, run.run_id, "failed")
    (failure,) = report.failures
    assert failure.name == "killed"
    assert f"{home.root}: the process of this step {KILLED}." in failure.error
    assert report.verdict
    assert f"The run failed in killed: {home.root}" in report.verdict.sentence


def test_a_run_that_somebody_else_found_dead_says_what_became_of_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(dg.DagsterRun(job_name="refresh"))
        instance.report_run_failed(run, f"Its process {KILLED}.")
        report = write_report(home, instance, run.run_id, "failed")
    assert report.failures == [Failure("the run", f"Its process {KILLED}.")]


def test_the_checks_that_did_not_pass_are_kept(tmp_path: Path) -> None:
    @dg.asset_check(asset="favors", description="a claim")
    def holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, description="3 rows differ.")

    @dg.asset_check(asset="favors")
    def is_fine() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    @dg.asset
    def favors() -> None:
        return None

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([favors, holds, is_fine], instance=instance, raise_on_error=False)
        report = write_report(Home(tmp_path), instance, run.run_id, "succeeded")
    why = "3 rows differ."
    assert report.failed_checks == [FailedCheck("holds", "favors", is_warning=False, why=why)]
    assert "The check holds of favors did not pass: 3 rows differ." in as_markdown(report)


def test_figures_stand_beside_those_of_the_run_before(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.marts.mkdir()
    for rows, run_id in ((3, "r1"), (5, "r2"), (5, "r2")):
        table = pa.table({"n": range(rows)})
        pq.write_table(table, home.handed_on("marts/fct_events"))
        with dg.DagsterInstance.ephemeral() as instance:
            report = write_report(home, instance, run_id, "succeeded")
    assert report.figures[0] == Headline("events", 5, 3)
    assert "| events | 5 | +2 |" in (home.reports / "latest.md").read_text()
    assert "+2 since the last run" in (home.reports / "run-r2.html").read_text()


def test_a_report_is_written_though_what_is_live_is_gone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    champion.promote(home, "a" * 32, "b" * 16, "it was there")
    with dg.DagsterInstance.ephemeral() as instance:
        report = write_report(home, instance, "a-run", "failed")
    assert (report.release_id, report.release_kind) == ("a" * 32, None)
    (failure,) = report.failures
    assert failure.name == "what is live"
    assert "no release, it lacks card.json" in failure.error
    assert latest_report(home) == report
