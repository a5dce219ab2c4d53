"""Counting: popularity, own visits, item-kNN and directed co-occurrence are one sum.

How popular a place is, how often and how lately the person was there, and how much the places of
their history point to it; they differ in which of these they use. Needs numpy alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.item_neighbours import Neighbours
from models_ml.data.tokens import SPECIAL_TOKENS, EventTokens
from models_ml.typed_json import Settings, as_settings, decode

PREFIX = "neighbours."
HOUR = 3_600_000_000
DAY = 24 * HOUR
_ALIKE = 2.0
"""Hours of the day that lie so many apart are alike."""
FOLLOWED = 50
"""So many of the latest events point to what comes next; older ones hardly change the answer."""


@dataclass(frozen=True)
class Counting:
    """A method's name, which counts it adds up, and how fast they fade with an event's age.

    ``own`` is the share of the person's own visits, the rest is what the visited places point to.
    A visit counts exp(-age / ``own_age``); ``own_next`` times that on top if it came after a visit
    to where the person was last, and up to ``own_hour`` times that the nearer the hour of the event
    before it is to that of the last. What a visited place points to counts
    (1 + age) ** -``follow_power``. Ages are in events, the latest has 0.
    """

    name: str
    own: float = 0.0
    own_age: float = 50.0
    own_next: float = 0.0
    own_hour: float = 0.0
    follow: float = 0.0
    follow_power: float = 1.0


@dataclass(frozen=True)
class Counts:
    """What was counted, and how it is added up."""

    counting: Counting
    neighbours: Neighbours

    @classmethod
    def restore(cls, settings: Settings, tensors: Mapping[str, NDArray[Any]]) -> "Counts":
        """Put together what `settings` and `tensors` gave."""
        neighbours = Neighbours.restore(PREFIX, tensors)
        return cls(decode(Counting, settings, "what was tuned"), neighbours)

    @staticmethod
    def are_all_in(tensors: Mapping[str, NDArray[Any]]) -> bool:
        """Tell whether *tensors* have all that `restore` takes."""
        return Neighbours.are_all_in(PREFIX, tensors)

    @property
    def name(self) -> str:
        """The method's."""
        return self.counting.name

    @property
    def settings(self) -> Settings:
        """What was tuned."""
        return as_settings(self.counting)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted, by name."""
        return self.neighbours.tensors(PREFIX)

    def shares(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Share out 1 among the places after each window ``start:stop`` of *events*, (B, P).

        Less than 1, down to nothing, where the history has nothing to count or to point from.
        """
        size = len(self.neighbours)
        shares = np.zeros((len(starts), size), dtype=np.float32)
        for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            tokens = events.places[start:stop][::-1] - SPECIAL_TOKENS
            ages = np.flatnonzero((tokens >= 0) & (tokens < size))
            if self.counting.own:
                hours = events.ats[start:stop][::-1] % DAY / HOUR
                shares[row] += self.counting.own * self._own_visits(tokens, hours, ages)
            if self.counting.follow:
                shares[row] += self.counting.follow * self._pointed_to(tokens, ages)
        return shares

    def _own_visits(
        self, tokens: NDArray[np.int64], hours: NDArray[np.float64], ages: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Share out 1 among the places of *tokens*, newest first; those at *ages* are known."""
        came_after = np.zeros(len(tokens))
        came_after[:-1] = self.counting.own_next * (tokens[1:] == tokens[:1])
        came_after[:-1] += self.counting.own_hour * likeness(hours[1:], hours[:1])
        weights = np.exp(-ages / self.counting.own_age) * (1 + came_after[ages])
        return _shares(tokens[ages], weights, len(self.neighbours))

    def _pointed_to(
        self, tokens: NDArray[np.int64], ages: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Share out 1 among what the places of *tokens* point to."""
        near = ages[ages < FOLLOWED]
        fading = (1.0 + near) ** -self.counting.follow_power
        whose, pointed, weights = self.neighbours.of(tokens[near])
        return _shares(pointed, weights * fading[whose], len(self.neighbours))


def likeness(hours: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tell how near *hours* of the day are, 1 for the same, .6 for two hours apart."""
    apart = np.abs(hours - to)
    likeness: NDArray[np.float64] = np.exp(-((np.minimum(apart, 24 - apart) / _ALIKE) ** 2) / 2)
    return likeness


def scaled(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row of *sums* (B, P), in place, to a sum of 1; rows of zeros stay."""
    totals = np.maximum(1e-12, sums.sum(axis=1, keepdims=True, dtype=np.float64))
    sums *= (1 / totals).astype(np.float32)
    return sums


def _shares(
    places: NDArray[np.integer], weights: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Add up the *weights* of each place and scale them to a sum of 1, (P,); zeros if none."""
    sums = np.bincount(places, weights=weights, minlength=size)
    shares: NDArray[np.float64] = sums / max(1e-12, sums.sum())
    return shares
