"""Counting methods: popularity, own visits, item-kNN and directed co-occurrence are one sum.

How popular a place is, how often and how lately the person was there, and how much the places of
their history point to it; they differ in which of these they use.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models_ml.baseline import Baseline
from models_ml.taste import Taste
from models_ml.tokens import SPECIAL_TOKENS, EventTokens, Vocabulary

NEIGHBOURS = 200
FORGOTTEN = 5.0
_CELLS_AT_ONCE = 16_000_000


class Block(NamedTuple):
    """Some rows of a count matrix: ``counts[i]`` belongs to place ``rows.start + i``."""

    rows: slice
    counts: NDArray[np.float32]


@dataclass(frozen=True)
class Counting:
    """A baseline's name, which counts it adds up, and how fast they fade, in events.

    ``own`` weighs the person's own visits, ``own_age`` is the age at which one
    counts 1/e; ``follow_age`` is the same for what the visited places point to.
    """

    name: str
    own: float = 0.0
    own_age: float = 50.0
    follow: float = 0.0
    follow_age: float = 1.0


@dataclass(frozen=True)
class Neighbours:
    """For each place the places it points to and how strongly, (P, K) both."""

    places: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def none(cls, size: int) -> "Neighbours":
        """Return neighbours for methods that use none."""
        return cls(np.zeros((size, 0), dtype=np.int32), np.zeros((size, 0), dtype=np.float32))


class CountingBaseline(Baseline):
    """A counting method as a recommender."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        counting: Counting,
        neighbours: Neighbours,
        taste: Taste,
        *,
        excludes_seen: bool,
    ) -> None:
        """Take what was counted."""
        super().__init__(counting.name, vocabulary, taste, excludes_seen=excludes_seen)
        self._counting = counting
        self._neighbours = neighbours

    @classmethod
    def restore(
        cls,
        vocabulary: Vocabulary,
        taste: Taste,
        config: dict[str, Any],
        tensors: dict[str, NDArray[Any]],
    ) -> "CountingBaseline":
        """Put together what was saved."""
        neighbours = Neighbours(tensors["neighbours.places"], tensors["neighbours.weights"])
        counting = Counting(**config["architecture"])
        return cls(vocabulary, counting, neighbours, taste, excludes_seen=config["excludes_seen"])

    @property
    def architecture(self) -> dict[str, Any]:
        """What was tuned."""
        return asdict(self._counting)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted."""
        return {f"neighbours.{name}": value for name, value in vars(self._neighbours).items()}

    def score_events(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score every place as the next after each window ``start:stop`` of *events*."""
        size = len(self.places)
        scores = np.tile(self.tie_break, (len(starts), 1))
        for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            places = events.places[start:stop][::-1] - SPECIAL_TOKENS
            is_known = (places >= 0) & (places < size)
            ages, places = np.flatnonzero(is_known), places[is_known]
            if self._counting.own:
                fading = self._counting.own * np.exp(-ages / self._counting.own_age)
                scores[row] += np.bincount(places, weights=fading, minlength=size)
            if self._counting.follow:
                near = ages < FORGOTTEN * self._counting.follow_age
                fading = self._counting.follow * np.exp(-ages[near] / self._counting.follow_age)
                pointed = self._neighbours.places[places[near]]
                weights = self._neighbours.weights[places[near]] * fading[:, None]
                scores[row] += np.bincount(pointed.ravel(), weights=weights.ravel(), minlength=size)
        return scores


def co_occurrences(
    places: NDArray[np.int64],
    users: NDArray[np.int64],
    size: int,
    lag_weights: NDArray[np.float64],
    steps: tuple[int, ...],
) -> Iterator[Block]:
    """Yield, block by block, how much each place is found near each other in a history.

    *steps* are the directions to look in: 1 for what came after, -1 for before.
    Memory is bounded by one block of `_CELLS_AT_ONCE`.
    """
    order = np.argsort(places, kind="stable")
    bounds = np.searchsorted(places[order], np.arange(size + 1))
    height = max(1, _CELLS_AT_ONCE // max(1, size))
    for begin in range(0, size, height):
        end = min(size, begin + height)
        here = order[bounds[begin] : bounds[end]]
        block = np.zeros((end - begin) * size, dtype=np.float32)
        for step in steps:
            for lag, weight in enumerate(lag_weights, 1):
                there = here + step * lag
                inside = (there >= 0) & (there < len(places))
                there = np.where(inside, there, here)
                same = inside & (users[there] == users[here])
                cells = (places[here[same]] - begin) * size + places[there[same]]
                np.add.at(block, cells, np.float32(weight))
        yield Block(slice(begin, end), block.reshape(end - begin, size))


def nearest(
    blocks: Iterator[Block],
    occurrences: NDArray[np.float64],
    power_from: float,
    power_to: float,
) -> Neighbours:
    """Keep the `NEIGHBOURS` strongest of each row, counts divided by powers of *occurrences*."""
    size = len(occurrences)
    kept = min(NEIGHBOURS, size)
    places = np.zeros((size, kept), dtype=np.int32)
    weights = np.zeros((size, kept), dtype=np.float32)
    often = np.maximum(occurrences, 1.0)
    scale_to = (often**-power_to).astype(np.float32)
    for rows, counts in blocks:
        strength = counts * scale_to * (often[rows, None] ** -power_from).astype(np.float32)
        strongest = np.argpartition(strength, size - kept, axis=1)[:, size - kept :]
        places[rows] = strongest
        weights[rows] = np.take_along_axis(strength, strongest, axis=1)
    return Neighbours(places, weights)
