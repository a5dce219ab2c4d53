"""The run report: what went in, what came out, how good it is and what it cost.

Put together from what lies in the home and from Dagster's record of the run, so
that it says the same however the run was started.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration import asset_keys as keys
from orchestration.home.atomic_files import read_json, write_atomically
from orchestration.model.quality_tables import METRICS, SPLITS, markdown_table, quality_tables
from orchestration.model.retraining.judge import remembered
from orchestration.model.retraining.verdict import Verdict
from orchestration.model.store import NoModelError, current_model, training_facts
from orchestration.reliability.budget import standings
from orchestration.reliability.history import CheckLogError
from orchestration.reliability.objectives import SloError
from orchestration.steps.failures import why
from orchestration.warehouse.state_hash import published
from serving import champion
from serving.home import Home, now

LANDED_BY = "tastemate/landed_by"
"""The tag that names the run that landed what a run works on."""
FILE_COLUMNS = ["name", "kind", "lines_in", "accepted", "duplicates", "quarantined", "erased"]
SLO_COLUMNS = ["of", "indicator", "target", "value", "met", "budget_left", "window_days"]


def write_report(
    home: Home, instance: dg.DagsterInstance, run_id: str, status: str
) -> dict[str, Any]:
    """Write `reports/run-<id>.json` and `.md`, and their copies `latest`; return the report.

    Its ``as_of`` is the moment up to which the run has seen data: that of the marts it
    published, or of the report where it did not come so far.
    """
    live = _live(home)
    card = read_json(home.releases / live.release_id / "card.json") if live else None
    run = instance.get_run_by_id(run_id)
    landed_by = run.tags.get(LANDED_BY) if run else None
    steps, failures = _steps(instance, run_id)
    if landed_by:
        steps = [*_steps(instance, landed_by)[0], *steps]
    state = _published(home, steps)
    report = {
        "run_id": run_id,
        "as_of": _as_of(state),
        "status": status,
        "failures": failures,
        "files": _files(home),
        "users": _rows(home.handed_on("marts/dim_users")),
        "places": _rows(home.handed_on("marts/dim_places")),
        "events": _rows(home.handed_on("marts/fct_events")),
        "release_id": live.release_id if live else None,
        "index_id": live.index_id if live else None,
        "release_kind": card["kind"] if card else None,
        "release_name": card["name"] if card else None,
        "training": _training(home),
        "retraining": remembered(home, run_id),
        "quality": _quality(home),
        "parity": read_json(home.last_parity),
        "state_hash": state["state_hash"] if state else None,
        "state": state,
        "slo": [],
        "steps": steps,
    }
    try:
        report["slo"] = [standing.as_json() for standing in standings(home)]
    except (SloError, CheckLogError) as error:
        # The report is where a person looks; it must not be missing because of this.
        failures.append({"name": "slo", "error": str(error)})
    text = json.dumps(report, indent=2)
    readable = as_markdown(report)
    for name in (f"run-{run_id}", "latest"):
        write_atomically(home.report(name), text)
        write_atomically(home.report(name, "md"), readable)
    return report


def _rows(path: Path) -> int | None:
    return pq.read_metadata(path).num_rows if path.exists() else None


def _files(home: Home) -> list[dict[str, Any]]:
    path = home.handed_on("marts/fct_landed_files")
    if not path.exists():
        return []
    table = pq.read_table(path)
    order = pc.sort_indices(table, sort_keys=[("landed_at", "ascending"), ("name", "ascending")])
    return table.select(FILE_COLUMNS).take(order).to_pylist()


def _live(home: Home) -> champion.Champion | None:
    try:
        return champion.read(home)
    except champion.NoChampionError:
        return None


def _quality(home: Home) -> dict[str, Any]:
    try:
        evaluation = read_json(current_model(home) / "evaluation.json")
    except NoModelError:
        evaluation = None
    if not evaluation:
        return {}
    return {
        split: {
            name: {metric: values[metric] for metric in METRICS}
            for name, values in evaluation[split].items()
        }
        for split in SPLITS
    }


def _published(home: Home, steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Read the state that the run itself has published."""
    is_new = keys.PUBLISHED_STATE.to_python_identifier() in {step["name"] for step in steps}
    return published(home) if is_new else None


def _as_of(state: dict[str, Any] | None) -> str:
    return str(state["as_of"]) if state else now().isoformat()


def _training(home: Home) -> dict[str, Any]:
    """Tell how long the current model was trained, and whether it was stopped before its end."""
    try:
        return training_facts(current_model(home))
    except NoModelError:
        return {}


def _steps(
    instance: dg.DagsterInstance, run_id: str
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """List the run's steps in the order in which they ended, and why others failed."""
    peaks: dict[str, float] = {}
    steps, failures = [], []
    for record in instance.all_logs(run_id):
        event = record.dagster_event
        if event is None or event.step_key is None:
            continue
        if event.event_type_value == "ASSET_MATERIALIZATION":
            value = event.materialization.metadata.get("peak_mb")
            if value is not None:
                peak = float(value.value)
                peaks[event.step_key] = max(peak, peaks.get(event.step_key, 0.0))
        if event.event_type_value == "STEP_SUCCESS":
            seconds = event.step_success_data.duration_ms / 1000
            name, peak_mb = event.step_key, peaks.get(event.step_key)
            steps.append({"name": name, "seconds": round(seconds, 2), "peak_mb": peak_mb})
        if event.event_type_value == "STEP_FAILURE":
            failures.append({"name": event.step_key, "error": why(event)})
    return steps, failures


def as_markdown(report: dict[str, Any]) -> str:
    """Write the report for a person."""
    parts = [
        f"# Run {report['run_id']}",
        (
            f"**{report['status']}**, as of {report['as_of']}. "
            f"{report['events'] or 0:,} events of {report['users'] or 0:,} people "
            f"at {report['places'] or 0:,} places."
        ),
        (
            f"Live: release `{report['release_id']}` "
            f"({report['release_kind']} {report['release_name']}), "
            f"index `{report['index_id']}`."
            if report["release_id"]
            else "Nothing is live yet."
        ),
    ]
    if report["failures"]:
        parts += ["## What failed", _failures(report["failures"])]
    parts += ["## What went in", markdown_table(report["files"], FILE_COLUMNS)]
    if report["retraining"]:
        parts.append(_retraining(report["retraining"]))
    if report["training"].get("is_cut_short"):
        parts.append(
            f"The model's training was stopped after {report['training']['epochs']} epochs, "
            "before it had run its course."
        )
    parts.append(quality_tables(report["quality"]))
    if report["state"]:
        parts += ["## Any day again", _state(report["state"])]
    if report["parity"]:
        parts += ["## Online = offline", _parity(report["parity"])]
    if report["slo"]:
        parts += ["## What users may rely on", slo_table(report["slo"])]
    parts += ["## What it cost", markdown_table(report["steps"], ["name", "seconds", "peak_mb"])]
    return "\n\n".join(parts) + "\n"


def _retraining(decided: dict[str, Any]) -> str:
    verdict = Verdict(decided["retrain"], decided["from_scratch"], decided["reasons"])
    return f"The model was {verdict.sentence()}."


def _failures(failures: list[dict[str, str]]) -> str:
    return "\n".join(f"- `{failure['name']}`: {failure['error']}" for failure in failures)


def _state(state: dict[str, Any]) -> str:
    return (
        f"Marts and features as of {state['as_of']} have the state hash `{state['state_hash']}`. "
        f"Have them again from the archive: `tastemate rebuild --as-of {state['as_of']}`"
    )


def _parity(parity: dict[str, Any]) -> str:
    counted = [name for name in parity if name not in {"examples", "holds"}]
    examples = [f"- {example}" for example in parity["examples"]]
    verdict = "Every key read online equals its row." if parity["holds"] else "They differ:"
    return "\n\n".join([markdown_table([parity], counted), "\n".join([verdict, *examples])])


def slo_table(slo: list[dict[str, Any]]) -> str:
    """Write the objectives and their error budgets for a person."""
    rows = [{"of": one.get("source") or one.get("table"), **one} for one in slo]
    verdict = {True: "yes", False: "no", None: "nothing measured"}
    return markdown_table([{**row, "met": verdict[row["met"]]} for row in rows], SLO_COLUMNS)
