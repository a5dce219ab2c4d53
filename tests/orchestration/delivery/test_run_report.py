import html
import os
import signal
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from models_ml.typed_json import json_text
from orchestration.delivery.report_text import as_markdown
from orchestration.delivery.run_report import (
    FailedCheck,
    Failure,
    Headline,
    Status,
    latest_report,
    report_before,
)
from orchestration.delivery.write_report import write_report
from orchestration.home.atomic_files import write_atomically
from orchestration.home.hints import for_home
from orchestration.landing.errors import MappingError
from serving import champion
from serving.home import Home
from serving.processes import KILLED
from tests.made import run_report


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
    told = (home.reports / "latest.md").read_text()
    assert told == for_home(home.root, as_markdown(report))


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
    assert report.verdict
    assert report.verdict.sentence.startswith(f"The run failed: Its process {KILLED}.")


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


def test_after_failed_runs_a_report_stands_beside_that_of_the_last_that_succeeded(
    tmp_path: Path,
) -> None:
    """What a failed run landed is published only now: it is new, as are its events."""
    home = Home(tmp_path)
    home.marts.mkdir()
    told: list[tuple[int, str, Status]] = [
        (3, "r1", "succeeded"), (5, "r2", "failed"), (5, "r3", "failed"), (5, "r4", "succeeded")
    ]  # fmt: skip
    for rows, run_id, status in told:
        pq.write_table(pa.table({"n": range(rows)}), home.handed_on("marts/fct_events"))
        with dg.DagsterInstance.ephemeral() as instance:
            report = write_report(home, instance, run_id, status)
        # A clock may be too coarse to tell which was written last.
        os.utime(home.report(f"run-{run_id}"), (int(run_id[1:]),) * 2)
    assert report.figures[0] == Headline("events", 5, 3)
    before = report_before(home, "r4")
    assert before
    assert before.run_id == "r1"


@pytest.mark.parametrize("name", ["a home", "cats & dogs"])
def test_what_a_report_says_to_type_names_the_home_in_which_it_lies(
    tmp_path: Path, name: str
) -> None:
    home = Home(tmp_path / name)
    with dg.DagsterInstance.ephemeral() as instance:
        write_report(home, instance, "r1", "failed")
    command = f"tastemate --home '{home.root}' dev"
    assert command in home.report(kind="md").read_text()
    assert command in html.unescape(home.report(kind="html").read_text())
    assert name == "a home" or "cats & dogs" not in home.report(kind="html").read_text()


def test_where_every_run_has_failed_the_last_of_them_is_the_one_before(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for at, run_id in enumerate(("r1", "r2")):
        write_atomically(home.report(f"run-{run_id}"), json_text(run_report(
            run_id=run_id, status="failed"
        )))  # fmt: skip
        os.utime(home.report(f"run-{run_id}"), (at, at))
    before = report_before(home, "r3")
    assert before
    assert before.run_id == "r2"
    assert report_before(Home(tmp_path / "another"), "r1") is None


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
