"""Whether to train anew, from which weights, and why: a function of figures and policy alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.model.retraining.figures import Figures
from orchestration.model.retraining.policy import FromScratch, Policy, Retrain


@dataclass(frozen=True)
class Verdict:
    """What is to be done. `reasons` speak for it; of a model that is kept, too."""

    retrain: bool
    from_scratch: bool
    reasons: list[str]
    figures: Figures | None = None

    @classmethod
    def keep(cls, reason: str, figures: Figures | None = None) -> "Verdict":
        """Keep the model that is there."""
        return cls(retrain=False, from_scratch=False, reasons=[reason], figures=figures)

    @classmethod
    def anew(cls, reason: str) -> "Verdict":
        """Train from scratch, whatever the figures are."""
        return cls(retrain=True, from_scratch=True, reasons=[reason])

    def sentence(self) -> str:
        """Say it to a person in one line."""
        if not self.retrain:
            done = "not trained anew"
        else:
            done = "trained from scratch" if self.from_scratch else "trained on from the last model"
        return f"{done}: {'; '.join(self.reasons)}"


@dataclass(frozen=True)
class LastModel:
    """What is asked of the model that is there, besides its figures.

    trainings  how many in a row have gone on from one another, the first one included
    refused    whether the gate refused it
    changed    what its preset is now that it was not then; empty where it is the same
    """

    trainings: int = 1
    refused: bool = False
    changed: str = ""


def decide(policy: Policy, model: LastModel, figures: Figures) -> Verdict:
    """Judge by *policy* whether *figures* call for a training, and whether it begins anew."""
    calling = list(_calling(policy.retrain, figures))
    if not calling:
        return Verdict.keep(_why_not(policy.retrain, figures), figures)
    anew = list(_anew(policy.from_scratch, model, figures))
    return Verdict(retrain=True, from_scratch=bool(anew), reasons=calling + anew, figures=figures)


def _calling(asked: Retrain, figures: Figures) -> Iterator[str]:
    if figures.new_events > asked.new_events:
        yield f"{figures.new_events:.1%} new events, more than {asked.new_events:.1%}"
    if figures.age_days > asked.age_days:
        yield f"the model is {figures.age_days:.0f} days old, more than {asked.age_days:g}"
    if figures.since < asked.least_events:
        return
    for name, moved in figures.drift.items():
        if moved > asked.drift:
            yield f"the shares of {name} have drifted by {moved:.2f}, more than {asked.drift:g}"
    if figures.unknown_places > asked.unknown_places:
        yield (
            f"{figures.unknown_places:.1%} of new events are at places that the model does not "
            f"know, more than {asked.unknown_places:.1%}"
        )


def _anew(asked: FromScratch, model: LastModel, figures: Figures) -> Iterator[str]:
    if model.trainings >= asked.every:
        yield f"one training in {asked.every} is from scratch"
    if figures.new_places > asked.new_places:
        yield f"the places grew by {figures.new_places:.1%}, more than {asked.new_places:.1%}"
    if model.refused:
        yield "the gate refused the last model"
    if model.changed:
        yield model.changed


def _why_not(asked: Retrain, figures: Figures) -> str:
    reasons = (
        f"{figures.new_events:.1%} new events ({asked.new_events:.1%} would call for it), "
        f"the model {figures.age_days:.0f} days old ({asked.age_days:g} would)"
    )
    if figures.since < asked.least_events:
        of = f"{figures.since:,} of {asked.least_events:,}"
        return f"{reasons}, too few new events to look for drift ({of})"
    name, moved = max(figures.drift.items(), key=lambda one: one[1])
    return (
        f"{reasons}, {name} drifted by {moved:.2f} ({asked.drift:g} would), "
        f"{figures.unknown_places:.1%} of new events at unknown places "
        f"({asked.unknown_places:.1%} would)"
    )
