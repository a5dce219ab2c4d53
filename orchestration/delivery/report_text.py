"""The run report in words and tables, for a person."""

from collections.abc import Sequence

from feature_repo.parity_report import ParityReport
from orchestration.delivery.run_report import Failure, FileCounts, RunReport, StepCost
from orchestration.model.quality_tables import markdown_table, quality_tables
from orchestration.reliability.budget import Standing
from orchestration.warehouse.state_hash import State

_SLO_COLUMNS = ["of", "indicator", "target", "value", "met", "budget_left", "window_days"]


def as_markdown(report: RunReport) -> str:
    """Write the report for a person."""
    parts = [
        f"# Run {report.run_id}",
        (
            f"**{report.status}**, as of {report.as_of}. "
            f"{report.events or 0:,} events of {report.users or 0:,} people "
            f"at {report.places or 0:,} places."
        ),
        _live(report),
    ]
    if report.failures:
        parts += ["## What failed", _failures(report.failures)]
    parts += ["## What went in", _records(FileCounts, report.files)]
    if report.retraining:
        parts.append(f"The model was {report.retraining.sentence()}.")
    if report.training.is_cut_short:
        parts.append(
            f"The model's training was stopped after {report.training.epochs} epochs, "
            "before it had run its course."
        )
    parts.append(quality_tables(report.quality))
    if report.state:
        parts += ["## Any day again", _state(report.state)]
    if report.parity:
        parts += ["## Online = offline", _parity(report.parity)]
    if report.slo:
        parts += ["## What users may rely on", slo_table(report.slo)]
    parts += ["## What it cost", _records(StepCost, report.steps)]
    return "\n\n".join(parts) + "\n"


def slo_table(slo: Sequence[Standing]) -> str:
    """Write the objectives and their error budgets for a person."""
    verdict = {True: "yes", False: "no", None: "nothing measured"}
    rows = [
        [one.name, one.indicator, one.target, one.value, verdict[one.met], one.budget_left,
         one.window_days]
        for one in slo
    ]  # fmt: skip
    return markdown_table(_SLO_COLUMNS, rows)


def _live(report: RunReport) -> str:
    if not report.release_id:
        return "Nothing is live yet."
    return (
        f"Live: release `{report.release_id}` ({report.release_kind} {report.release_name}), "
        f"index `{report.index_id}`."
    )


def _failures(failures: Sequence[Failure]) -> str:
    return "\n".join(f"- `{failure.name}`: {failure.error}" for failure in failures)


def _records(kind: type[FileCounts | StepCost], records: Sequence[FileCounts | StepCost]) -> str:
    columns = list(kind.__dataclass_fields__)
    return markdown_table(columns, [list(vars(record).values()) for record in records])


def _state(state: State) -> str:
    return (
        f"Marts and features as of {state.as_of} have the state hash `{state.state_hash}`. "
        f"Have them again from the archive: `tastemate rebuild --as-of {state.as_of}`"
    )


def _parity(parity: ParityReport) -> str:
    counts = {"keys": parity.keys, "equal": parity.equal, "different": parity.different,
              "missing": parity.missing, "extra": parity.extra}  # fmt: skip
    verdict = "Every key read online equals its row." if parity.holds else "They differ:"
    examples = [f"- {example}" for example in parity.examples]
    table = markdown_table(list(counts), [list(counts.values())])
    return "\n\n".join([table, "\n".join([verdict, *examples])])
