"""The run report in words and tables, for a person: Markdown, verdict first."""

from collections.abc import Sequence

from feature_repo.parity_report import ParityReport
from orchestration.delivery.report_tables import (
    Table,
    change_text,
    files_table,
    folded_files,
    folded_slo,
    quarantine_table,
    steps_table,
    value_text,
)
from orchestration.delivery.report_tables import slo_table as table_of_slo
from orchestration.delivery.run_report import FailedCheck, Failure, Headline, RunReport, RunVerdict
from orchestration.delivery.verdict import WELL
from orchestration.model.quality_tables import markdown_table, quality_tables
from orchestration.reliability.budget import Standing
from orchestration.warehouse.state_hash import State

WHERE_QUARANTINE_LIES = (
    "What landing could not read waits for `tastemate replay --dry-run`; the mart "
    "`fct_quarantined_lines` has every line."
)

WHAT_THE_GATE_ASKS = (
    "A model goes live only if it ranks surely better than every baseline (p is how likely its "
    "lead is by chance alone), nowhere surely worse than what is live, behaves, and is quick and "
    "small enough."
)


def as_markdown(report: RunReport) -> str:
    """Write the report for a person."""
    parts = [
        *_opening(report),
        "## The run",
        (
            f"Run {report.run_id} **{report.status}**, as of {report.as_of}. "
            f"{report.events or 0:,} events of {report.users or 0:,} people "
            f"at {report.places or 0:,} places."
        ),
    ]
    parts += training_sentences(report)
    parts += ["## What went in", _table(files_table(folded_files(report.files)))]
    parts.append(quality_tables(report.quality, report.histories))
    if report.state:
        parts += ["## Any day again", _state(report.state)]
    if report.parity:
        parts += ["## Online = offline", _parity(report.parity)]
    if report.slo:
        parts += ["## What users may rely on", _table(folded_slo(report.slo))]
    parts += ["## What it cost", _table(steps_table(report.steps))]
    return "\n\n".join(part for part in parts if part) + "\n"


def slo_table(slo: Sequence[Standing]) -> str:
    """Write the objectives and their error budgets for a person."""
    return _table(table_of_slo(slo))


def title_of(report: RunReport) -> str:
    """Say in a few words whether all is well."""
    if report.verdict is None:
        return f"Run {report.run_id}"
    return WELL.rstrip(".") if report.verdict.is_well else "Something is to be done"


def sentence_of(verdict: RunVerdict) -> str:
    """Give the verdict's sentence as it stands below the title, which says its beginning."""
    return verdict.sentence.removeprefix(WELL).strip()


def checks_to_tell(report: RunReport) -> list[FailedCheck]:
    """Leave out the gate's own checks where its reasons stand above."""
    # `tastemate slo` takes its table from here, and has no time to load Dagster.
    from orchestration import asset_keys as keys

    gate = keys.EVALUATION.to_user_string() if report.refusals else None
    return [check for check in report.failed_checks if check.asset != gate]


def live_sentence(report: RunReport) -> str:
    """Say what is live."""
    if not report.release_id:
        return "Nothing is live yet."
    return (
        f"Live: release `{report.release_id}` ({report.release_kind} {report.release_name}), "
        f"index `{report.index_id}`."
    )


def training_sentences(report: RunReport) -> list[str]:
    """Say whether a model was trained, and whether that was ended before its time."""
    said = []
    if report.retraining:
        said.append(f"The model was {report.retraining.sentence()}.")
    if report.training.is_cut_short:
        said.append(
            f"The model's training was stopped after {report.training.epochs} epochs, "
            "before it had run its course."
        )
    return said


def _opening(report: RunReport) -> list[str]:
    """Write what belongs on the first screen."""
    parts = [f"# {title_of(report)}"]
    if report.verdict:
        parts.append(sentence_of(report.verdict))
        parts.append("\n".join(f"- {one}" for one in report.verdict.next))
    if report.figures:
        parts.append(_table(_figures(report.figures)))
    page = f" [Its page]({report.release_page})." if report.release_page else ""
    parts.append(live_sentence(report) + page)
    if report.failures:
        parts += ["## What failed", _failures(report.failures)]
    if failed := checks_to_tell(report):
        checks = [
            f"`{one.name}` of {one.asset}{' (a warning)' if one.is_warning else ''}"
            f"{': ' if one.why else ''}{one.why}"
            for one in failed
        ]
        parts += ["## Checks that did not pass", _listed(checks)]
    if report.refusals:
        parts += ["## Why the model was refused", WHAT_THE_GATE_ASKS, _listed(report.refusals)]
    if report.quarantine:
        parts += ["## Why lines are in quarantine", _table(quarantine_table(report.quarantine)),
                  WHERE_QUARANTINE_LIES]  # fmt: skip
    return parts


def _figures(figures: Sequence[Headline]) -> Table:
    rows = [[one.name, value_text(one), change_text(one)] for one in figures]
    return Table(["", "now", "since the last run"], rows)


def _table(table: Table) -> str:
    return markdown_table(table.columns, table.rows)


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _failures(failures: Sequence[Failure]) -> str:
    return _listed([f"`{failure.name}`: {failure.error}" for failure in failures])


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
