"""The run report as a type: what went in, what came out, how good it is and what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from feature_repo.parity_report import ParityReport
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
class RunReport:
    """What `reports/run-<id>.json` holds; ``as_of`` is the moment up to which it has seen data."""

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
    parity: ParityReport | None = None
    state_hash: str | None = None
    state: State | None = None
    slo: list[Standing] = field(default_factory=list)


def latest_report(home: Home) -> RunReport:
    """Read the report of the home's last run.

    Raises:
        RunReportError: there is none, or an earlier version wrote it otherwise.
    """
    try:
        return read_json(home.report(), RunReport)
    except (JsonTypeError, FileNotFoundError) as error:
        raise RunReportError(f"{error} Run again: tastemate run") from error
