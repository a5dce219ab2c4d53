"""Leakage, told by its effect: is what was held out as familiar to a model as what it has learned?

Whoever has learned an event foretells it better than it would have. So the lead over counts that
have seen neither is larger on learned events than on held-out ones. A model that has seen its
targets has hardly such a difference; counting, which has certainly learned the one and not the
other, tells how large it is on this data. (The idea of membership inference: Yeom, Giacomelli,
Fredrikson and Jha, Privacy risk in machine learning, CSF 2018.)
"""

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.linear_counts_fit import counted_in
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit
from models_ml.data.event_windows import laid_flat
from models_ml.evaluation.ranking import ask
from models_ml.evaluation.report import Memorization
from models_ml.metrics import gains, target_weights
from models_ml.recommender import Recommender

_LEAST = 0.5
"""Of what counting memorizes, or of what the model foretells, the part it must have memorized."""


def memorization(
    fit: Fit,
    tuned: Tuned,
    model: Recommender,
    counting: LinearBaseline,
    held_out: NDArray[np.int64],
) -> Memorization | None:
    """Compare *model* and *counting* on the events *held_out* and on learned ones.

    These are of each person the newest that were learned, as many as are held out. None where
    there are no such events.
    """
    learned = _newest_learned(fit, held_out)
    if not len(held_out) or not len(learned):
        return None
    neither = fit.linear(counted_in(fit, tuned, np.setdiff1d(fit.learned, learned)))
    familiar, unknown = (
        [_gained(fit, one, targets) for one in (model, counting, neither)]
        for targets in (learned, held_out)
    )
    ours, theirs = ([asked[one] - asked[2] for asked in (familiar, unknown)] for one in (0, 1))
    people = [fit.data.event_users[targets] for targets in (learned, held_out)]
    weights = [target_weights(whose) for whose in people]
    by_counting = float(theirs[0] @ weights[0] - theirs[1] @ weights[1])
    # Where hardly a pair comes twice, counting memorizes many times what anybody foretells.
    comparable = min(by_counting, float(unknown[0] @ weights[1]))
    return Memorization(
        model=float(ours[0] @ weights[0] - ours[1] @ weights[1]),
        counting=by_counting,
        error=_standard_error(theirs, weights, people),
        least=_LEAST * comparable,
    )


def _newest_learned(fit: Fit, held_out: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the newest learned events of those who are asked, each after some other event."""
    people, asked = np.unique(fit.data.event_users[held_out], return_counts=True)
    begins, ends = fit.data.offsets[people], fit.parts.learn_ends[people]
    _, events = laid_flat(ends - np.clip(ends - begins - 1, 0, asked), ends)
    return events


def _gained(fit: Fit, one: Recommender, targets: NDArray[np.int64]) -> NDArray[np.float64]:
    return gains(ask(one, fit.data, targets).ranks)


def _standard_error(
    values: list[NDArray[np.float64]],
    weights: list[NDArray[np.float64]],
    people: list[NDArray[np.int64]],
) -> float:
    """Tell the standard error of the difference of two means, which share their people."""
    size = 1 + max(int(whose.max()) for whose in people)
    first, second = (
        np.bincount(whose, weights=weight * (told - told @ weight), minlength=size)
        for told, weight, whose in zip(values, weights, people, strict=True)
    )
    return float(np.sqrt(((first - second) ** 2).sum()))
