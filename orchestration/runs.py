"""Runs in this process, with progress: landing, and all that follows from it."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from orchestration import asset_keys as keys
from orchestration.delivery.as_published import differences
from orchestration.delivery.dead_runs import end_and_report
from orchestration.delivery.run_report import RunReport, latest_report
from orchestration.delivery.write_report import LANDED_BY, write_report
from orchestration.home.console import say
from orchestration.home.lock import BusyError, alone
from orchestration.home.state_files import LastRun, Pointers
from orchestration.jobs import land
from orchestration.landing.assets import landed
from orchestration.landing.land import LandedFile
from orchestration.landing.registered import last_landing, registered
from orchestration.model.assets import Training
from orchestration.model.retraining.policy import load_policy, policy_file
from orchestration.steps.dead_runs import DeadRun, find_dead_runs
from orchestration.steps.failures import why
from orchestration.steps.home_resource import STARTED_HERE, HomeResource
from orchestration.steps.interrupts import heard_interrupts, was_asked_to_end
from orchestration.steps.job_names import LAND, REFRESH
from orchestration.steps.lines import step_lines
from orchestration.warehouse.dbt_command import parse_ahead
from orchestration.warehouse.dbt_lines import DbtLines
from orchestration.warehouse.excluded import excluded_people
from serving.home import Home, now


class NoSourceError(RuntimeError):
    """A home has nothing to ingest from."""


class RunFailedError(RuntimeError):
    """A step failed; the message says which and why."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `is_new` is false where there was nothing to do."""

    report: RunReport
    is_new: bool


def run(home: Home, preset: str | None, seed: int) -> Outcome:
    """Land what is new and bring everything that follows from it up to date.

    A run that was cut off is continued: each step finds what is already there.

    Raises:
        BusyError: another run holds the home.
        NoSourceError: nothing was ever ingested here.
        PolicyError: the home's policy of retraining cannot be used.
        RunFailedError: a step failed.
    """
    # Before anything is done, and though nothing is new.
    load_policy(policy_file(home))
    if not home.manifest.exists():
        parse_ahead(home)
    with alone(home), _instance(home) as instance:
        _make_way(home, instance)
        landed_by = _land(home, instance)
        if _is_done(home, preset, seed):
            return Outcome(latest_report(home), is_new=False)
        result = _execute(
            _refresh(home),
            instance,
            Training(preset=preset, seed=seed),
            tags={LANDED_BY: landed_by},
        )
        if not result.success:
            write_report(home, instance, result.run_id, "failed")
            raise RunFailedError(_why(home, result))
        # With the champion that the run has made.
        Pointers(home).last_run.write(LastRun(_fingerprint(home), preset, seed))
        return Outcome(latest_report(home), is_new=True)


def land_sources(home: Home) -> list[LandedFile]:
    """Land what is new in the home's sources, as the asset `raw/lines` of today's partition.

    Raises:
        BusyError: another run holds the home.
        NoSourceError: nothing was ever ingested here.
        RunFailedError: a source could not be landed.
    """
    with alone(home), _instance(home) as instance:
        _make_way(home, instance)
        _land(home, instance)
        return last_landing(home).read() or []


def materialize(home: Home, assets: list[dg.AssetKey], training: Training | None = None) -> None:
    """Make some assets of the graph anew, as a run of their own.

    Raises:
        BusyError: another run holds the home.
        RunFailedError: a step failed.
    """
    with alone(home), _instance(home) as instance:
        _make_way(home, instance)
        result = _execute(
            _refresh(home),
            instance,
            training,
            asset_selection=assets,
        )
        if not result.success:
            raise RunFailedError(_why(home, result))


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the home for work that is no run of Dagster's, but must not go on beside one.

    Raises:
        BusyError: a run holds the home.
    """
    with alone(home):
        make_way(home)
        yield


def make_way(home: Home) -> None:
    """End runs that are dead; the home is held by this process.

    Raises:
        BusyError: a run of Dagster's own is under way.
    """
    with _instance(home) as instance:
        _make_way(home, instance)


def dead_runs(home: Home) -> list[DeadRun]:
    """Find runs that are recorded as under way, though their process is gone; end none."""
    with _instance(home) as instance:
        return find_dead_runs(home, instance)


@contextmanager
def _instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """Open the home's instance, and hear what asks the process to end for as long as it is open.

    Not only while a job goes on: an interrupt that comes while a connection of the instance is
    tidied away is lost otherwise. It captures no output, for the processes that Dagster captures
    with belong to the terminal, and die noisily of its Ctrl-C.
    """
    nothing = {"module": NoOpComputeLogManager.__module__, "class": NoOpComputeLogManager.__name__}
    ref = InstanceRef.from_dir(str(home.dagster), overrides={"compute_logs": nothing})
    with heard_interrupts(), dg.DagsterInstance.from_ref(ref) as instance:
        yield instance


def _refresh(home: Home) -> dg.JobDefinition:
    """Give the job of all that follows from landing."""
    # With it comes dbt, whose loading takes longer than a run that has nothing new to do.
    from orchestration.definitions import build_definitions

    return build_definitions(home).resolve_job_def(REFRESH)


def _land(home: Home, instance: dg.DagsterInstance) -> str:
    """Land what is new; return the id of the run that did."""
    if not registered(home):
        raise NoSourceError(
            f"{home.root}: nothing was ever ingested here. Name a source, such as "
            "tastemate run --source sample, or --source interactions --mapping FILE --path DIR"
        )
    landing = dg.Definitions(
        assets=[landed],
        jobs=[land],
        resources={"home": HomeResource(root=str(home.root))},
        loggers={"steps": step_lines},
    )
    result = _execute(landing.resolve_job_def(LAND), instance, partition_key=f"{now():%Y-%m-%d}")
    if not result.success:
        write_report(home, instance, result.run_id, "failed")
        raise RunFailedError(_why(home, result))
    return result.run_id


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    training: Training | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    **what: Any,
) -> dg.ExecuteInProcessResult:
    _end_if_asked()
    told = (keys.RECOMMENDER, keys.FIRST_ANSWER)
    asked = {key.to_python_identifier(): training for key in told} if training else {}
    # What libraries print or warn of goes to nobody; a person follows the lines of the steps.
    with warnings.catch_warnings(), redirect_stdout(DbtLines()):
        warnings.simplefilter("ignore")
        result = job.execute_in_process(
            run_config=dg.RunConfig(ops=asked, loggers={"steps": {}}),
            instance=instance,
            raise_on_error=False,
            tags={**STARTED_HERE, **(tags or {})},
            **what,
        )
    # Dagster takes Ctrl-C for one more way to fail, or, between steps, for none at all.
    _end_if_asked()
    return result


def _end_if_asked() -> None:
    if was_asked_to_end():
        raise KeyboardInterrupt


def _make_way(home: Home, instance: dg.DagsterInstance) -> None:
    """End what is dead, and let what Dagster's own processes have started come to its end.

    Raises:
        BusyError: a run of theirs is under way.
    """
    for dead in end_and_report(home, instance, is_held_here=True):
        say(f"ended a run that had stopped on its way: {dead}")
    going_on = instance.get_runs(dg.RunsFilter(statuses=ACTIVE_RUN_STATUSES), limit=1)
    if going_on:
        raise BusyError(
            f"{home.root}: Dagster is running {going_on[0].job_name} "
            f"({going_on[0].run_id[:8]}) on this home. Wait for it, or end it there: tastemate dev"
        )


def _why(home: Home, result: dg.ExecuteInProcessResult) -> str:
    """Say which step failed first, and what was wrong."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            return f"{event.step_key}: {why(event, home)}"
    return "the run ended without a failed step; Dagster's log has the rest: tastemate dev"


def _is_done(home: Home, preset: str | None, seed: int) -> bool:
    """Say whether a run would give what is there; without a preset any model will do.

    Decided by what went in, and by whether what came out is still there.
    """
    last = Pointers(home).last_run.read()
    if not last or last.fingerprint != _fingerprint(home):
        return False
    if preset is not None and (preset, seed) != (last.preset, last.seed):
        return False
    if latest_report(home).status == "failed":
        say("the last run failed, so all is done again")
        return False
    others = differences(home)
    if others:
        say("nothing new has come, but what is there is not what was published:")
    for other in others:
        say(f"- {other}")
    return not others


def _fingerprint(home: Home) -> str:
    """Name everything that decides what a run would give, but for the training still to do."""
    from orchestration.warehouse.dbt_command import project_hash

    facts = [os.environ.get("TASTEMATE_ONLINE"), project_hash()]
    digest = hashlib.sha256(json.dumps(facts).encode())
    pointers = Pointers(home)
    current = (pointers.training_set.path, pointers.model.path)
    told = (home.landed_files, home.champion, policy_file(home), *current)
    for path in told:
        digest.update(path.read_bytes() if path.exists() else b"")
    digest.update("\0".join(excluded_people(home, now())).encode())
    return digest.hexdigest()
