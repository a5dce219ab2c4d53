"""Fit the counts that answer beside a network, and choose on validation how much they say."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.interpolation import Mixture, log_shares, mixed
from models_ml.baselines.linear_counts_fit import LinearFit
from models_ml.baselines.tuning import Fit, Scored
from models_ml.data.event_windows import EventWindows

_WEIGHTS = tuple(tenth / 10 for tenth in range(10))
"""What is tried; the network has a say in any case."""


def fit_mixture(fit: Fit, counted: LinearFit, network: Scored) -> Mixture | None:
    """Return the counts and the weight with which *network* is best; nothing if none help.

    The weight is chosen with counts of what the network has learned, too. What is kept is counted
    anew with the validating events among the others.
    """
    if not fit.can_tune:
        return None

    def by_weight(windows: EventWindows) -> Iterator[NDArray[np.float32]]:
        scores = network(windows)
        shares = counted.learned.shares(windows.events, windows.starts, windows.stops)
        logarithms = log_shares(shares)
        return (mixed(scores, logarithms, weight) for weight in _WEIGHTS)

    weight = _WEIGHTS[int(np.argmax(fit.qualities(by_weight)))]
    return Mixture(weight, counted.known) if weight else None
