"""Counts that answer beside the network: what neither sees alone, they find together.

The network's log-scores and the logarithms of what was counted are added up by weight, which is
the log-linear interpolation of language models (Klakow, ICSLP 1998).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.counts import Counts
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.data.tokens import EventTokens, Vocabulary
from models_ml.typed_json import Settings, decode

_WEIGHT = "weight"


@dataclass(frozen=True)
class Mixture:
    """Counts, and their weight beside the network, from 0 to 1."""

    weight: float
    counts: Counts | LinearCounts

    @classmethod
    def restore(
        cls, vocabulary: Vocabulary, settings: Settings, tensors: Mapping[str, NDArray[Any]]
    ) -> "Mixture":
        """Put together what `settings` and `tensors` gave; models of before have `Counts`."""
        weight = decode(float, settings[_WEIGHT], _WEIGHT)
        if LinearCounts.are_in(settings):
            return cls(weight, LinearCounts.restore(vocabulary, settings, tensors))
        return cls(weight, Counts.restore(settings, tensors))

    @property
    def settings(self) -> Settings:
        """What was tuned."""
        return {_WEIGHT: self.weight, **self.counts.settings}

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted, by name."""
        return self.counts.tensors

    def mixed(
        self,
        scores: NDArray[np.float32],
        events: EventTokens,
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Add to a network's *scores* (B, P) what is counted in each window of *events*."""
        return mixed(scores, log_shares(self.counts.shares(events, starts, stops)), self.weight)


def log_shares(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithms of *shares* (B, P); each place has one of P equal parts besides."""
    logarithms: NDArray[np.float32] = np.log(shares + np.float32(1 / max(1, shares.shape[1])))
    return logarithms


def mixed(
    scores: NDArray[np.float32], logarithms: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    """Weigh a network's log-scores with those of counts, (B, P) both."""
    return np.float32(1 - weight) * scores + np.float32(weight) * logarithms
