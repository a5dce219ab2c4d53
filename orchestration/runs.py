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
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from orchestration import asset_keys as keys
from orchestration.definitions import build_definitions
from orchestration.delivery.run_report import LANDED_BY, write_report
from orchestration.home.atomic_files import read_json, write_atomically
from orchestration.home.lock import BusyError, alone
from orchestration.jobs import LAND, REFRESH
from orchestration.landing.registered import registered
from orchestration.model import store as model_store
from orchestration.model.retraining.policy import load_policy, policy_file
from orchestration.steps.failures import why
from orchestration.steps.home_resource import STARTED_HERE
from orchestration.steps.interrupts import heard_interrupts, was_asked_to_end
from orchestration.warehouse.dbt_lines import DbtLines
from serving.home import Home, now

UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]


class NoSourceError(RuntimeError):
    """A home has nothing to ingest from."""


class RunFailedError(RuntimeError):
    """A step failed; the message says which and why."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `is_new` is false where there was nothing to do."""

    report: dict[str, Any]
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
    with alone(home), _instance(home) as instance:
        _refuse_beside_dagster(home, instance)
        _end_runs_that_died(instance)
        definitions = build_definitions(home)
        landed = _land(home, definitions, instance)
        if _is_done(home, preset, seed):
            return Outcome(read_json(home.report()), is_new=False)
        result = _execute(
            definitions.resolve_job_def(REFRESH),
            instance,
            training_config(preset, seed),
            tags={LANDED_BY: landed},
        )
        if not result.success:
            write_report(home, instance, result.run_id, "failed")
            raise RunFailedError(_why(result))
        # With the champion that the run has made.
        done = {"fingerprint": _fingerprint(home), "preset": preset, "seed": seed}
        write_atomically(home.last_run, json.dumps(done))
        return Outcome(read_json(home.report()), is_new=True)


def land_sources(home: Home) -> list[dict[str, Any]]:
    """Land what is new in the home's sources, as the asset `raw/lines` of today's partition.

    Raises:
        BusyError: another run holds the home.
        NoSourceError: nothing was ever ingested here.
        RunFailedError: a source could not be landed.
    """
    with alone(home), _instance(home) as instance:
        _refuse_beside_dagster(home, instance)
        _end_runs_that_died(instance)
        _land(home, build_definitions(home), instance)
        return list(read_json(home.last_landed))


def materialize(
    home: Home, assets: list[dg.AssetKey], config: dict[str, Any] | None = None
) -> None:
    """Make some assets of the graph anew, as a run of their own.

    Raises:
        BusyError: another run holds the home.
        RunFailedError: a step failed.
    """
    with alone(home), _instance(home) as instance:
        _refuse_beside_dagster(home, instance)
        result = _execute(
            build_definitions(home).resolve_job_def(REFRESH),
            instance,
            config,
            asset_selection=assets,
        )
        if not result.success:
            raise RunFailedError(_why(result))


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the home for work that is no run of Dagster's, but must not go on beside one.

    Raises:
        BusyError: a run holds the home.
    """
    with alone(home), _instance(home) as instance:
        _refuse_beside_dagster(home, instance)
        yield


def training_config(preset: str | None, seed: int, *, anew: bool = False) -> dict[str, Any]:
    """Give the run config that says how to train; *anew*: whatever the policy says."""
    step = keys.RECOMMENDER.to_python_identifier()
    return {"ops": {step: {"config": {"preset": preset, "seed": seed, "anew": anew}}}}


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


def _land(home: Home, definitions: dg.Definitions, instance: dg.DagsterInstance) -> str:
    """Land what is new; return the id of the run that did."""
    if not registered(home):
        raise NoSourceError(
            f"{home.root}: nothing was ever ingested here. Name a source, such as "
            "tastemate run --source sample, or --source interactions --mapping FILE --path DIR"
        )
    result = _execute(
        definitions.resolve_job_def(LAND), instance, partition_key=f"{now():%Y-%m-%d}"
    )
    if not result.success:
        write_report(home, instance, result.run_id, "failed")
        raise RunFailedError(_why(result))
    return result.run_id


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: dict[str, Any] | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    **what: Any,
) -> dg.ExecuteInProcessResult:
    _end_if_asked()
    # What libraries print or warn of goes to nobody; a person follows the lines of the steps.
    with warnings.catch_warnings(), redirect_stdout(DbtLines()):
        warnings.simplefilter("ignore")
        result = job.execute_in_process(
            run_config={**(config or {}), "loggers": {"steps": {}}},
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


def _refuse_beside_dagster(home: Home, instance: dg.DagsterInstance) -> None:
    """Let a run that Dagster's own processes have started come to its end."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY)):
        if not STARTED_HERE.items() <= record.dagster_run.tags.items():
            raise BusyError(
                f"{home.root}: Dagster is running {record.dagster_run.job_name} "
                f"({record.dagster_run.run_id[:8]}) on this home. Wait for it, or end it there: "
                "tastemate dev"
            )


def _end_runs_that_died(instance: dg.DagsterInstance) -> None:
    """Close the records of earlier such runs: whoever holds the home knows that they are dead."""
    unfinished = dg.RunsFilter(statuses=UNDER_WAY, tags=STARTED_HERE)
    for record in instance.get_run_records(unfinished):
        instance.report_run_failed(record.dagster_run, "The process ended before the run did.")


def _why(result: dg.ExecuteInProcessResult) -> str:
    """Say which step failed first, and what was wrong."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            return f"{event.step_key}: {why(event)}"
    return "the run ended without a failed step; Dagster's log has the rest: tastemate dev"


def _is_done(home: Home, preset: str | None, seed: int) -> bool:
    """Say whether a run would give what is there; without a preset any model will do."""
    last = read_json(home.last_run)
    if not last or last["fingerprint"] != _fingerprint(home):
        return False
    return preset is None or (preset, seed) == (last["preset"], last["seed"])


def _fingerprint(home: Home) -> str:
    """Name everything that decides what a run would give, but for the training still to do."""
    from orchestration.warehouse.dbt_command import project_hash

    facts = [os.environ.get("TASTEMATE_ONLINE"), project_hash()]
    digest = hashlib.sha256(json.dumps(facts).encode())
    told = (home.landed_files, home.champion, policy_file(home), *model_store.pointers(home))
    for path in told:
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()
