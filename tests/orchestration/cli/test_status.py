"""What `tastemate status` says of runs that began and did not end."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from models_ml.typed_json import json_text
from orchestration.cli.status import status_of, words
from orchestration.home.atomic_files import write_atomically
from orchestration.home.environment import enter
from orchestration.home.lock import alone
from orchestration.steps.dead_runs import end_dead_runs
from orchestration.steps.home_resource import STARTED_HERE
from orchestration.warehouse.state_hash import State, published
from serving.home import Home
from tests.made import run_report


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    enter(home)
    return home


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """Dagster's records, with a run of a verb's that has not ended."""
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        instance.add_run(dg.DagsterRun(
            job_name="refresh", status=dg.DagsterRunStatus.STARTED, tags=STARTED_HERE
        ))  # fmt: skip
        yield instance


def test_a_run_that_was_killed_is_told_until_somebody_has_ended_it(
    home: Home, instance: dg.DagsterInstance
) -> None:
    status = status_of(home)
    assert status.is_cut_off
    assert "tastemate run" in status.next[0]
    assert "another began after it and has not ended" in words(status)
    end_dead_runs(home, instance)
    status = status_of(home)
    assert not status.is_cut_off
    assert "has not ended" not in words(status)


@pytest.mark.usefixtures("instance")
def test_while_a_verb_is_at_work_nothing_is_cut_off_and_nothing_is_to_be_done(home: Home) -> None:
    with alone(home):
        status = status_of(home)
    assert (status.is_busy, status.is_cut_off, status.next) == (True, False, [])


def test_the_data_is_as_old_as_what_was_published_whatever_has_failed_since(home: Home) -> None:
    write_atomically(home.report(), json_text(run_report(status="failed", as_of="2026-01-09")))
    assert status_of(home).data_as_of is None
    published(home).write(State("2026-01-02T00:00:00+00:00", "a hash", {}))
    status = status_of(home)
    assert status.data_as_of == "2026-01-02T00:00:00+00:00"
    assert "as of 2026-01-02T00:00" in words(status)


def test_of_records_that_lie_elsewhere_nothing_is_claimed(home: Home) -> None:
    home.dagster_settings.write_text("storage:\n  postgres:\n    postgres_url: elsewhere\n")
    assert not status_of(home).is_cut_off
