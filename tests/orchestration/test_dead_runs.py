"""Runs whose process is gone, without a daemon; beside one, `cli/test_verbs.py` kills each verb."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.events import EngineEventData

from orchestration.delivery.run_report import latest_report
from orchestration.home.environment import enter
from orchestration.home.lock import BusyError, alone
from orchestration.runs import held
from orchestration.steps.dead_runs import end_dead_runs, find_dead_runs
from orchestration.steps.home_resource import STARTED_HERE
from serving.home import Home
from serving.processes import KILLED

STATUS = dg.DagsterRunStatus
GONE = "was killed, probably for want of memory, or the computer went down."


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    enter(home)
    return home


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        yield instance


def recorded(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, *, by_a_verb: bool, pid: int = 0
) -> str:
    """Record a run as under way, and that the process *pid* works on it."""
    run = dg.DagsterRun(job_name="refresh", status=status, tags=STARTED_HERE if by_a_verb else {})
    instance.add_run(run)
    if pid:
        instance.report_engine_event("It begins.", run, EngineEventData.in_process(pid))
    return run.run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


@pytest.fixture
def gone() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert not psutil.pid_exists(process.pid)
    return process.pid


@pytest.mark.parametrize("status", [STATUS.NOT_STARTED, STATUS.STARTING, STATUS.STARTED])
def test_a_verbs_run_is_dead_when_nobody_holds_the_home(
    home: Home, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    run_id = recorded(instance, status, by_a_verb=True)
    with alone(home):
        assert end_dead_runs(home, instance) == []
        assert status_of(instance, run_id) == status
    (dead,) = end_dead_runs(home, instance)
    assert str(dead) == f"refresh ({run_id[:8]}): Its process {GONE}"
    assert status_of(instance, run_id) == STATUS.FAILURE
    assert find_dead_runs(home, instance) == []


def test_one_that_was_asked_to_end_is_canceled(home: Home, instance: dg.DagsterInstance) -> None:
    run_id = recorded(instance, STATUS.CANCELING, by_a_verb=True)
    end_dead_runs(home, instance)
    assert status_of(instance, run_id) == STATUS.CANCELED


def test_a_run_of_dagsters_own_lives_as_long_as_its_process(
    home: Home, instance: dg.DagsterInstance, gone: int
) -> None:
    alive = recorded(instance, STATUS.STARTED, by_a_verb=False, pid=os.getpid())
    dead = recorded(instance, STATUS.STARTED, by_a_verb=False, pid=gone)
    assert [str(one) for one in end_dead_runs(home, instance)] == [
        f"refresh ({dead[:8]}): Its process, {gone}, {GONE}"
    ]
    assert status_of(instance, alive) == STATUS.STARTED
    assert status_of(instance, dead) == STATUS.FAILURE


def test_a_process_that_came_later_by_the_same_id_is_another(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(instance, STATUS.STARTED, by_a_verb=False, pid=os.getpid())
    an_hour_later = psutil.Process().create_time() + 3600
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: an_hour_later)
    assert len(find_dead_runs(home, instance)) == 1


def test_a_run_that_no_process_has_begun_is_given_time(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(instance, STATUS.STARTING, by_a_verb=False)
    recorded(instance, STATUS.NOT_STARTED, by_a_verb=False)
    assert find_dead_runs(home, instance) == []
    monkeypatch.setattr(type(instance), "run_monitoring_start_timeout_seconds", 0)
    (dead,) = find_dead_runs(home, instance)
    assert "No process began it" in dead.why


def test_what_works_on_the_home_ends_the_dead_and_waits_for_the_living(
    home: Home, instance: dg.DagsterInstance, gone: int, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = [
        recorded(instance, STATUS.STARTED, by_a_verb=True),
        recorded(instance, STATUS.STARTED, by_a_verb=False, pid=gone),
    ]
    with held(home):
        assert {status_of(instance, run_id) for run_id in dead} == {STATUS.FAILURE}
    reports = {latest_report(home).run_id, *(path.stem[4:] for path in home.run_reports())}
    assert reports == set(dead)
    report = latest_report(home)
    assert report.status == "failed"
    assert KILLED in report.failures[0].error
    told = " ".join(capsys.readouterr().err.split())
    assert all(
        f"ended a run that had stopped on its way: refresh ({one[:8]})" in told for one in dead
    )
    alive = recorded(instance, STATUS.STARTED, by_a_verb=False, pid=os.getpid())
    with pytest.raises(BusyError, match=alive[:8]), held(home):
        raise AssertionError("beside a run of Dagster's own")
