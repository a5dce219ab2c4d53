"""Fit the counts that answer beside a network, and choose on validation how much they say."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.co_occurrence import fit_co_occurrence, tune_own_visits
from models_ml.baselines.interpolation import Mixture, log_shares, mixed
from models_ml.baselines.tuning import Fit
from models_ml.data.tokens import EventTokens

_WEIGHTS = tuple(tenth / 10 for tenth in range(10))
"""What is tried; the network has a say in any case."""

Scores = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]


def fit_mixture(fit: Fit, network: Scores) -> Mixture | None:
    """Return the counts and the weight with which *network* is best; nothing if none help.

    The weight is chosen with counts of what the network has learned, too. What is kept is counted
    anew with the validating events among the others.

    network  scores every place after each window of *fit*'s events, (B, P), by starts and stops
    """
    if not fit.can_tune:
        return None
    fitted = fit_co_occurrence(fit, tune_own_visits(fit))

    def by_weight(
        events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        scores = network(starts, stops)
        logarithms = log_shares(fitted.learned.shares(events, starts, stops))
        return (mixed(scores, logarithms, weight) for weight in _WEIGHTS)

    weight = _WEIGHTS[int(np.argmax(fit.qualities(by_weight)))]
    return Mixture(weight, fitted.known) if weight else None
