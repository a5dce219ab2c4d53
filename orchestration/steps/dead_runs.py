"""Runs whose process is gone, though Dagster's records call them under way.

After a kill -9, or for want of memory, nobody writes down that a run has ended, and with room for
one run at a time all others wait for it. Dagster's own monitoring does not look at the runs of
other processes, and cannot tell that a worker died together with the server that started it.
"""

import time
from dataclasses import dataclass

import dagster as dg
import psutil
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES

from orchestration.home.lock import is_free
from orchestration.steps.home_resource import is_of_a_verb
from serving.home import Home
from serving.processes import KILLED

_CLOCK_JITTER_S = 5
_GONE = f"Its process, {{}}, {KILLED}, or the computer went down."


@dataclass(frozen=True)
class DeadRun:
    """A run that is recorded as under way, and the way in which it is known to be over."""

    run: dg.DagsterRun
    why: str

    def __str__(self) -> str:
        return f"{self.run.job_name} ({self.run.run_id[:8]}): {self.why}"


def find_dead_runs(
    home: Home, instance: dg.DagsterInstance, *, is_held_here: bool = False
) -> list[DeadRun]:
    """Find them; *is_held_here* says that this process holds the home's lock."""
    # The records first: a run that ends meanwhile lets go of the home after it has said so.
    records = _under_way(instance)
    is_nobodys = is_held_here or is_free(home)
    dead = []
    for record in records:
        run = record.dagster_run
        if is_of_a_verb(run):
            why = f"Its process {KILLED}, or the computer went down." if is_nobodys else None
        else:
            why = _worker_is_gone(instance, record)
        if why:
            dead.append(DeadRun(run, why))
    return dead


def end_dead_runs(
    home: Home, instance: dg.DagsterInstance, *, is_held_here: bool = False
) -> list[DeadRun]:
    """Write down that they have ended, so that nothing waits for them; return them."""
    ended = []
    for dead in find_dead_runs(home, instance, is_held_here=is_held_here):
        # What it was when it was looked at it need not be any more.
        run = instance.get_run_by_id(dead.run.run_id)
        if run is None or run.is_finished:
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, dead.why)
        else:
            instance.report_run_failed(run, dead.why)
        ended.append(dead)
    return ended


def _under_way(instance: dg.DagsterInstance) -> list[dg.RunRecord]:
    """Give the records that Dagster counts, and those of verbs killed before they began."""
    statuses = [*ACTIVE_RUN_STATUSES, dg.DagsterRunStatus.NOT_STARTED]
    return [
        record
        for record in instance.get_run_records(dg.RunsFilter(statuses=statuses))
        if record.dagster_run.status in ACTIVE_RUN_STATUSES or is_of_a_verb(record.dagster_run)
    ]


def _worker_is_gone(instance: dg.DagsterInstance, record: dg.RunRecord) -> str | None:
    """Say why no process works on a run of Dagster's own; None where one does."""
    if not isinstance(instance.run_launcher, DefaultRunLauncher):
        return None  # its workers are elsewhere, and Dagster asks the launcher for their health
    run = record.dagster_run
    worker = _worker(instance, run.run_id)
    if worker is not None:
        pid, began_at = worker
        return None if _lives(pid, began_at) else _GONE.format(pid)
    patience = instance.run_monitoring_start_timeout_seconds
    if time.time() - record.update_timestamp.timestamp() < patience:
        return None
    return f"No process began it within {patience} s."


def _worker(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """Give process id and moment of the first process that said that it works on the run."""
    for event in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        told = event.get_dagster_event().engine_event_data.metadata.get("pid")
        if told is not None:
            return int(told.text), event.timestamp
    return None


def _lives(pid: int, at: float) -> bool:
    """Say whether the process that had the id at that moment still has it."""
    try:
        return bool(psutil.Process(pid).create_time() <= at + _CLOCK_JITTER_S)
    except psutil.NoSuchProcess:
        return False
