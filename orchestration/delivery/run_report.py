"""The run report as a type: what went in, what came out, how good it is and what it cost."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from feature_repo.parity_report import ParityReport
from models_ml.evaluation.report import HistoryFigures
from models_ml.figures import RankFigures
from models_ml.typed_json import JsonTypeError, read_json
from orchestration.model.retraining.verdict import Verdict
from orchestration.reliability.budget import Standing
from orchestration.warehouse.state_hash import State
from serving.card import TrainingFacts
from serving.home import Home

Status = Literal["succeeded", "failed"]


class RunReportError(RuntimeError):
    """The report of a run cannot be read."""


@dataclass(frozen=True)
class FileCounts:
    """What became of the lines of one landed file."""

    name: str
    kind: str
    lines_in: int
    accepted: int
    duplicates: int
    quarantined: int
    erased: int


@dataclass(frozen=True)
class Failure:
    """A step, or another part of the run, that failed, and why."""

    name: str
    error: str


@dataclass(frozen=True)
class StepCost:
    """What a step took: seconds, and megabytes at its peak where it was measured."""

    name: str
    seconds: float
    peak_mb: float | None


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass; ``is_warning`` where nothing waits for it."""

    name: str
    asset: str
    is_warning: bool
    why: str


@dataclass(frozen=True)
class SetAside:
    """Lines that lie in quarantine for one reason, and the first of them.

    ``before`` is how many the report of the run before had; None where there was no such report.
    """

    source: str
    kind: str
    reason: str
    lines: int
    before: int | None
    file: str
    line_number: int


@dataclass(frozen=True)
class Headline:
    """One of the figures that matter most, beside what the report of the run before had.

    Either is None where it was not measured; ``before`` also where there was no such report.
    """

    name: str
    value: int | float | None
    before: int | float | None


@dataclass(frozen=True)
class RunVerdict:
    """Whether all is well after a run, in a sentence or two; ``next`` says what to do if not."""

    is_well: bool
    sentence: str
    next: list[str]


@dataclass(frozen=True)
class RunReport:
    """What `reports/run-<id>.json` holds; ``as_of`` is the moment up to which it has seen data.

    refusals      what the gate says against the model that was trained last
    release_page  the page of what is live, seen from the folder of reports
    """

    run_id: str
    as_of: str
    status: Status
    failures: list[Failure]
    files: list[FileCounts]
    users: int | None
    places: int | None
    events: int | None
    release_id: str | None
    index_id: str | None
    release_kind: Literal["model", "baseline"] | None
    steps: list[StepCost]
    # What reports of earlier versions may lack.
    release_name: str | None = None
    training: TrainingFacts = field(default_factory=TrainingFacts)
    retraining: Verdict | None = None
    quality: Mapping[str, Mapping[str, RankFigures]] = field(default_factory=dict)
    histories: HistoryFigures | None = None
    parity: ParityReport | None = None
    state_hash: str | None = None
    state: State | None = None
    slo: list[Standing] = field(default_factory=list)
    verdict: RunVerdict | None = None
    figures: list[Headline] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    quarantine: list[SetAside] = field(default_factory=list)
    failed_checks: list[FailedCheck] = field(default_factory=list)
    release_page: str | None = None


def latest_report(home: Home) -> RunReport:
    """Read the report of the home's last run.

    Raises:
        RunReportError: there is none, or an earlier version wrote it otherwise.
    """
    try:
        return read_json(home.report(), RunReport)
    except (JsonTypeError, FileNotFoundError) as error:
        raise RunReportError(f"{error} Run again: tastemate run") from error


def report_before(home: Home, run_id: str) -> RunReport | None:
    """Read the report of the last run before *run_id* that came to its end.

    A run that failed may have landed what is published only now. None where there is no other
    report, or none of this form.
    """
    others = [path for path in home.run_reports() if path != home.report(f"run-{run_id}")]
    failed = None
    for path in sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        with suppress(JsonTypeError):
            report = read_json(path, RunReport)
            if report.status != "failed":
                return report
            failed = failed or report
    return failed
