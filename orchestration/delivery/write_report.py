"""Writes the run report.

Put together from what lies in the home and from Dagster's record of the run, so
that it says the same however the run was started.
"""

import html
import os
from dataclasses import fields, replace
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.evaluation.report import TIME, Evaluation, EvaluationError
from models_ml.figures import RankFigures
from models_ml.typed_json import json_text
from orchestration import asset_keys as keys
from orchestration.delivery.quarantine import quarantine_of
from orchestration.delivery.report_page import as_page
from orchestration.delivery.report_text import as_markdown
from orchestration.delivery.run_report import (
    FailedCheck,
    Failure,
    FileCounts,
    RunReport,
    Status,
    StepCost,
    report_before,
)
from orchestration.delivery.verdict import RUN, figures_of, verdict_of
from orchestration.home.atomic_files import write_atomically
from orchestration.home.environment import PROJECT
from orchestration.home.hints import for_home
from orchestration.model.retraining.judge import remembered
from orchestration.model.store import NoModelError, current_model, training_facts
from orchestration.online.comparison import last_comparison
from orchestration.release.pack import PAGE
from orchestration.reliability.budget import Standing, standings
from orchestration.reliability.history import CheckLogError
from orchestration.reliability.objectives import SloError
from orchestration.steps.failures import crash, why
from orchestration.warehouse.state_hash import State, published
from serving import champion
from serving.card import Card, TrainingFacts
from serving.home import Home, now
from serving.release import ReleaseError, open_release

LANDED_BY = "tastemate/landed_by"
"""The tag that names the run that landed what a run works on."""


def write_report(
    home: Home, instance: dg.DagsterInstance, run_id: str, status: Status
) -> RunReport:
    """Write `reports/run-<id>.json`, `.md` and `.html`, and their copies `latest`.

    Its ``as_of`` is the moment up to which the run has seen data: that of the marts it
    published, or of the report where it did not come so far.
    """
    report = _gathered(home, instance, run_id, status)
    forms = {
        "json": json_text(report),
        "md": _to_type(home, as_markdown(report)),
        "html": _to_type(home, as_page(report), as_html=True),
    }
    for name in (f"run-{run_id}", "latest"):
        for kind, text in forms.items():
            write_atomically(home.report(name, kind), text)
    return report


def _to_type(home: Home, text: str, *, as_html: bool = False) -> str:
    """Let a report's commands name its home, unless it is where they look by themselves."""
    if home.root == PROJECT / ".tastemate":
        return text
    return for_home(Path(html.escape(str(home.root))) if as_html else home.root, text)


def _gathered(home: Home, instance: dg.DagsterInstance, run_id: str, status: Status) -> RunReport:
    live = _live(home)
    run = instance.get_run_by_id(run_id)
    landed_by = run.tags.get(LANDED_BY) if run else None
    steps, failures = _steps(home, instance, run_id)
    if landed_by:
        steps = [*_steps(home, instance, landed_by)[0], *steps]
    before = report_before(home, run_id)
    state = _published(home, steps)
    slo = _standings(home, failures)
    card = _card(home, live.release_id, failures) if live else None
    judged = _judged(home)
    report = RunReport(
        run_id=run_id,
        as_of=state.as_of if state else now().isoformat(),
        status=status,
        failures=failures,
        files=_files(home),
        users=_rows(home.handed_on("marts/dim_users")),
        places=_rows(home.handed_on("marts/dim_places")),
        events=_rows(home.handed_on("marts/fct_events")),
        release_id=live.release_id if live else None,
        index_id=live.index_id if live else None,
        release_kind=card.kind if card else None,
        release_name=card.name if card else None,
        training=_training(home),
        retraining=remembered(home, run_id),
        quality=_quality(judged) if judged else {},
        histories=judged.histories if judged else None,
        parity=last_comparison(home).read(),
        state_hash=state.state_hash if state else None,
        state=state,
        slo=slo,
        steps=steps,
        refusals=judged.refusals if judged else [],
        quarantine=quarantine_of(home, before),
        failed_checks=_failed_checks(instance, run_id),
        release_page=_release_page(home, live.release_id) if live else None,
    )
    asked_on = judged.terms.split if judged else TIME
    report = replace(report, figures=figures_of(report, card, before, asked_on))
    return replace(report, verdict=verdict_of(report, before))


def _card(home: Home, release_id: str, failures: list[Failure]) -> Card | None:
    """Read the card of what is live; where it is damaged, that is one more thing to tell."""
    try:
        return open_release(home.releases / release_id).card
    except ReleaseError as error:
        failures.append(Failure("what is live", str(error)))
        return None


def _rows(path: Path) -> int | None:
    return pq.read_metadata(path).num_rows if path.exists() else None


def _files(home: Home) -> list[FileCounts]:
    path = home.handed_on("marts/fct_landed_files")
    if not path.exists():
        return []
    table = pq.read_table(path)
    order = pc.sort_indices(table, sort_keys=[("landed_at", "ascending"), ("name", "ascending")])
    columns = list(FileCounts.__dataclass_fields__)
    return [FileCounts(**row) for row in table.select(columns).take(order).to_pylist()]


def _live(home: Home) -> champion.Champion | None:
    try:
        return champion.read(home)
    except champion.NoChampionError:
        return None


def _judged(home: Home) -> Evaluation | None:
    """Read how the current model was judged; None where it was not, or by an earlier version."""
    try:
        return Evaluation.read(current_model(home))
    except (NoModelError, EvaluationError):
        return None


def _quality(judged: Evaluation) -> dict[str, dict[str, RankFigures]]:
    """Give the figures of an evaluation, by split and recommender."""
    return {
        split: {
            name: RankFigures(**{one.name: getattr(told, one.name) for one in fields(RankFigures)})
            for name, told in quality.items()
        }
        for split, quality in judged.quality.items()
    }


def _release_page(home: Home, release_id: str) -> str | None:
    """Say where the page of a release lies, seen from the reports; None where it has none."""
    page = home.releases / release_id / PAGE
    return Path(os.path.relpath(page, home.reports)).as_posix() if page.exists() else None


def _failed_checks(instance: dg.DagsterInstance, run_id: str) -> list[FailedCheck]:
    """List the checks of the run that did not pass when they were last looked at."""
    last: dict[tuple[str, str], FailedCheck | None] = {}
    checked = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    for record in instance.all_logs(run_id, of_type=checked):
        event = record.dagster_event
        if event is None:
            continue
        told = event.asset_check_evaluation_data
        asset = told.asset_key.to_user_string()
        last[asset, told.check_name] = None if told.passed else FailedCheck(
            told.check_name, asset,
            is_warning=told.severity == dg.AssetCheckSeverity.WARN, why=told.description or "",
        )  # fmt: skip
    return [check for check in last.values() if check]


def _published(home: Home, steps: list[StepCost]) -> State | None:
    """Read the state that the run itself has published."""
    is_new = keys.PUBLISHED_STATE.to_python_identifier() in {step.name for step in steps}
    return published(home).read() if is_new else None


def _training(home: Home) -> TrainingFacts:
    """Tell how long the current model was trained, and whether it was stopped before its end."""
    try:
        return training_facts(current_model(home))
    except NoModelError:
        return TrainingFacts()


def _standings(home: Home, failures: list[Failure]) -> list[Standing]:
    """Measure the objectives; that they cannot be measured is one of the *failures*."""
    try:
        return standings(home)
    except (SloError, CheckLogError) as error:
        # The report is where a person looks; it must not be missing because of this.
        failures.append(Failure("slo", str(error)))
        return []


def _steps(
    home: Home, instance: dg.DagsterInstance, run_id: str
) -> tuple[list[StepCost], list[Failure]]:
    """List the run's steps in the order in which they ended, and why others failed."""
    peaks: dict[str, float] = {}
    crashes: dict[str, str] = {}
    steps, failures, ended = [], [], ""
    for record in instance.all_logs(run_id):
        event = record.dagster_event
        if event is not None and event.event_type_value == "PIPELINE_FAILURE":
            ended = event.message or ""
        if event is None or event.step_key is None:
            continue
        if crashed := crash(event, home):
            crashes[event.step_key] = crashed
        if event.event_type_value == "ASSET_MATERIALIZATION":
            value = event.materialization.metadata.get("peak_mb")
            if value is not None:
                peak = float(value.value)
                peaks[event.step_key] = max(peak, peaks.get(event.step_key, 0.0))
        if event.event_type_value == "STEP_SUCCESS":
            seconds = round(event.step_success_data.duration_ms / 1000, 2)
            steps.append(StepCost(event.step_key, seconds, peaks.get(event.step_key)))
        if event.event_type_value == "STEP_FAILURE":
            failures.append(
                Failure(event.step_key, crashes.get(event.step_key) or why(event, home))
            )
    if ended and not failures:  # whoever worked on it died, and somebody else has noticed
        failures.append(Failure(RUN, ended))
    return steps, failures
