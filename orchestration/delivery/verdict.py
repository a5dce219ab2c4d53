"""What a run report begins with: whether all is well, what to do, and the figures that matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models_ml.evaluation.report import CHAMPION, MODEL, TIME
from orchestration.delivery.run_report import Headline, RunReport, RunVerdict
from orchestration.model.quality_tables import warnings_of
from serving.card import Card

if TYPE_CHECKING:
    from models_ml.figures import RankFigures

WELL = "All is well."
RUN = "the run"
"""Names the failure of a run as a whole."""
EVENTS, PEOPLE, QUALITY = "events", "people", "NDCG@10 of what is live"

_MOST_NAMED = 3
_AGAIN = "Mend that, then run again: tastemate run"
_REMEDIES = {
    "online_equals_offline": "Publish anew and compare: tastemate materialize",
    "incremental_equals_full_refresh": "Make all anew: tastemate build --full-refresh, then "
    "tastemate run",
}
"""By the name of a check that failed; any other is looked at in Dagster."""


@dataclass(frozen=True)
class _Trouble:
    """Something that is not as it should be, and what to do about it."""

    what: str
    do: str


def verdict_of(report: RunReport, before: RunReport | None) -> RunVerdict:
    """Judge a run by its report, and by that of the run *before* it."""
    troubles = list(_troubles(report, before))
    if not troubles:
        said = [WELL, *_live(report, before), *_notes(report)]
        return RunVerdict(is_well=True, sentence=" ".join(said), next=[])
    first, *others = (trouble.what for trouble in troubles)
    # What was done is told of a run that came to its end.
    told = _live(report, before) if report.status == "succeeded" else _stays(report, before)
    sentence = " ".join([first, *others, *told])
    doing = dict.fromkeys(trouble.do for trouble in troubles)
    return RunVerdict(is_well=False, sentence=sentence, next=list(doing))


def figures_of(
    report: RunReport, card: Card | None, before: RunReport | None, asked_on: str = TIME
) -> list[Headline]:
    """Give the three figures; *card* is that of what is live, *asked_on* the gate's split."""
    values: dict[str, int | float | None] = {
        EVENTS: report.events,
        PEOPLE: report.users,
        QUALITY: _quality(report, card, asked_on),
    }
    earlier = _earlier(before) if before else {}
    return [Headline(name, value, earlier.get(name)) for name, value in values.items()]


def _quality(report: RunReport, card: Card | None, asked_on: str) -> float | None:
    """Take how good what is live was last found to be, on the split that the gate asks."""
    if card is None:
        return None
    asked = report.quality.get(asked_on, {})
    name = MODEL if card.kind == "model" else card.name
    own: RankFigures | None = card.metrics.get(asked_on, {}).get(name)
    # Where another model was judged since, what is live was asked the same questions.
    is_newest = own is not None and asked.get(name) == own
    found = own if is_newest else asked.get(CHAMPION, own)
    return found.judged if found and found.n else None


def _earlier(before: RunReport) -> dict[str, int | float | None]:
    # A run that failed early has not measured all; what the one before it had still stands.
    told = {one.name: one.before if one.value is None else one.value for one in before.figures}
    return {EVENTS: before.events, PEOPLE: before.users, **told}


def _troubles(report: RunReport, before: RunReport | None) -> Iterator[_Trouble]:
    checks = [check for check in report.failed_checks if not check.is_warning]
    for check in checks:
        why = f": {check.why}" if check.why else ""
        # Any but those is a test of dbt's.
        alone = f"See what that check finds: tastemate build --select {check.name}"
        yield _Trouble(
            f"The check {check.name} of {check.asset} did not pass{why.rstrip('.')}.",
            _REMEDIES.get(check.name, alone),
        )
    # The step that a check belongs to says no more than the check does.
    yield from (_failures(report) if not checks else _failed_with_them(report))
    if report.parity and not report.parity.holds:
        wrong = report.parity.keys - report.parity.equal
        yield _Trouble(
            f"{wrong:,} of {report.parity.keys:,} keys are not online as they are offline.",
            _REMEDIES["online_equals_offline"],
        )
    known = {file.name for file in before.files} if before else set()
    for file in report.files:
        if file.lines_in and file.quarantined == file.lines_in and file.name not in known:
            yield _Trouble(
                f"Not one line of {file.name} is fit.",
                f"See what its mapping takes: tastemate validate {file.name} --mapping MAPPING",
            )
    missed = [f"{one.name} {one.indicator}" for one in report.slo if one.met is False]
    if missed:
        yield _Trouble(
            f"Objectives are missed: {_some(missed)}.",
            "See by how much, and what is left of each error budget: tastemate slo",
        )


def _failed_with_them(report: RunReport) -> Iterator[_Trouble]:
    if report.status == "failed":
        yield _Trouble("So the run failed.", _AGAIN)


def _failures(report: RunReport) -> Iterator[_Trouble]:
    for failure in report.failures:
        told = failure.error.strip().splitlines() or ["without a word"]
        what = told[0].rstrip(".")
        if report.status == "failed":
            where = "" if failure.name == RUN else f" in {failure.name}"
            yield _Trouble(f"The run failed{where}: {what}.", _AGAIN)
        else:
            yield _Trouble(f"{failure.name}: {what}.", _AGAIN)
    if report.status == "failed" and not report.failures:
        yield _Trouble(
            "The run failed, and no step of it says why.",
            "Read Dagster's log of it: tastemate dev",
        )


def _live(report: RunReport, before: RunReport | None) -> list[str]:
    """Say what has become of what is live."""
    if report.release_id is None:
        return ["Nothing is live yet."]
    name = f"the {report.release_kind} {report.release_name}"
    stays = before is not None and before.release_id == report.release_id
    is_trained = report.retraining is not None and report.retraining.retrain
    if is_trained and report.refusals:
        return [f"The new model was refused, so {name} {'stays' if stays else 'is'} live."]
    if not stays:
        return [f"{name[0].upper()}{name[1:]} is live now."]
    if before is not None and (before.files, before.events) == (report.files, report.events):
        return [f"Nothing new has come, and {name} stays live."]
    return [f"{name[0].upper()}{name[1:]} stays live."]


def _stays(report: RunReport, before: RunReport | None) -> list[str]:
    """Say what is live after a run that failed."""
    if report.release_id is None:
        return ["Nothing is live yet."]
    if before is None or before.release_id is None:
        # The first answer, which does not wait for the model.
        return [f"The {report.release_kind} {report.release_name} is live now."]
    return ["What was live stays live."]


def _notes(report: RunReport) -> Iterator[str]:
    """Say what is no trouble and yet worth a look."""
    new = sum(one.lines - (one.before or 0) for one in report.quarantine)
    if new > 0:
        yield f"{new:,} {'lines' if new > 1 else 'line'} went to quarantine: see why below."
    yield from warnings_of(report.quality, report.histories)
    warnings = [check.name for check in report.failed_checks if check.is_warning]
    # The gate's own are told as reasons why the model was refused.
    if warnings and not report.refusals:
        yield f"Checks that only warn did not pass: {_some(warnings)}."


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
