from pathlib import Path

import dagster as dg

from orchestration.delivery.report_text import as_markdown
from orchestration.delivery.run_report import Failure, latest_report
from orchestration.delivery.write_report import write_report
from orchestration.landing.errors import MappingError
from serving import champion
from serving.home import Home


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
