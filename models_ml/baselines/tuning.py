"""What baselines are fitted on and tuned by: one set's training part, counted once for all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.baselines.base import Baseline
from models_ml.baselines.counting import CountingBaseline
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.ease import Ease, Shrinkage, shared_people
from models_ml.baselines.item_neighbours import Neighbours, Pairs, co_occurrences
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.data.event_windows import EventWindows
from models_ml.data.split import (
    Split,
    excludes_seen,
    known_events,
    known_offsets,
    learned_events,
    split,
)
from models_ml.data.tokens import MAX_EVENTS, SPECIAL_TOKENS, Vocabulary
from models_ml.data.training_set import TrainingSet
from models_ml.metrics import capped_shares, gains, worst_ranks
from models_ml.user_vectors import Taste
from models_ml.user_vectors_fit import fit_taste

Settings = dict[str, float]
Scored = Callable[[EventWindows], NDArray[np.float32]]
"""Scores every place as the next after each window, (B, P)."""
ScoredInWays = Callable[[EventWindows], Iterable[NDArray[np.float32]]]
"""Does so in several ways, all at once."""
_TUNING_TARGETS, _SURE_TARGETS = 2000, 8000
_CELLS_AT_ONCE = 4_000_000
_LAGS = 30
_SEED = 0
"""Which events tune is not drawn anew with each training: all are to beat the same baselines."""


def climb(
    start: Settings, axes: Mapping[str, Sequence[float]], quality: Callable[[Settings], float]
) -> Settings:
    """Tune one setting after the other along its axis, until none is better by itself.

    Coordinate ascent: where all combinations would be thousands of fits, this asks for dozens.
    """
    told: dict[tuple[float, ...], float] = {}

    def known(settings: Settings) -> float:
        key = tuple(settings.values())
        if key not in told:
            told[key] = quality(settings)
        return told[key]

    best = start
    while True:
        before = best
        for name, values in axes.items():
            best = max([best, *({**best, name: value} for value in values)], key=known)
        if best == before:
            return best


@dataclass(frozen=True)
class _Questions:
    """Validation targets, laid out once for all that are asked.

    batches  what a request would see before each, all of the history, and the place that came
    weights  (N,)  what each counts; all together 1
    """

    batches: list[tuple[EventWindows, EventWindows, NDArray[np.int64]]]
    weights: NDArray[np.float64]


class Fit:
    """The training part of one set.

    ``learned`` are the positions of the events that candidates are fitted on, ``known`` those of
    what is kept, the validating ones included.
    """

    def __init__(self, data: TrainingSet) -> None:
        """Count what all baselines need."""
        self.data, parts = data, split(data)
        self.learned, self.known = learned_events(data, parts), known_events(data, parts)
        self.vocabulary = Vocabulary.build(data, self.known)
        self.events = self.vocabulary.encode_training_set(data)
        self.excludes_seen = excludes_seen(data, parts)
        self.parts = parts

    @cached_property
    def taste(self) -> Taste:
        """The vectors of places, fitted on all that is known."""
        tokens = replace(self.events, places=self.events.places[self.known])
        offsets = known_offsets(self.data, self.parts)
        return fit_taste(tokens, offsets, self.vocabulary, _SEED)

    @property
    def can_tune(self) -> bool:
        """Whether anything validates."""
        return len(self.parts.validation_targets) > 0

    def visits(self, events: NDArray[np.int64]) -> NDArray[np.float64]:
        """Count the *events* at each place, (P,)."""
        counts = np.bincount(self._places(events), minlength=len(self.vocabulary))
        return counts.astype(np.float64)

    def follows(self, events: NDArray[np.int64], power: float) -> Pairs:
        """Count which place comes after which, lag ** -*power* where it comes lag events after."""
        return co_occurrences(
            self._places(events),
            self.data.event_users[events],
            len(self.vocabulary),
            {lag: lag**-power for lag in range(1, _LAGS + 1)},
        )

    def together(self, events: NDArray[np.int64]) -> tuple[Pairs, NDArray[np.float64]]:
        """Count who chose both of two places, within a person's `MAX_EVENTS` nearest choices.

        Returns the pairs, and how many people chose each place.
        """
        size = len(self.vocabulary)
        choices = self.data.event_users[events] * size + self._places(events)
        firsts = events[np.sort(np.unique(choices, return_index=True)[1])]
        places = self._places(firsts)
        lags = dict.fromkeys([*range(-MAX_EVENTS, 0), *range(1, MAX_EVENTS + 1)], 1.0)
        pairs = co_occurrences(places, self.data.event_users[firsts], size, lags)
        return pairs, np.bincount(places, minlength=size).astype(np.float64)

    def shared_people(self, events: NDArray[np.int64], columns: NDArray[np.int32]) -> torch.Tensor:
        """Count how many people chose both of two places of *columns*, (C, C)."""
        people = self.data.event_users[events]
        return shared_people(self._places(events), people, columns, len(self.vocabulary))

    def counting(self, counts: Counts) -> CountingBaseline:
        """Make a baseline that counts."""
        return CountingBaseline(
            self.vocabulary, counts, self.taste, excludes_seen=self.excludes_seen
        )

    def visiting(self, counting: Counting) -> CountingBaseline:
        """Make a baseline that counts visits alone: places point to none."""
        return self.counting(Counts(counting, Neighbours.none(len(self.vocabulary))))

    def linear(self, counts: LinearCounts) -> LinearBaseline:
        """Make a baseline of linear counts."""
        return LinearBaseline(self.vocabulary, counts, self.taste, excludes_seen=self.excludes_seen)

    def ease(
        self, shrinkage: Shrinkage, columns: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> Ease:
        """Make a linear baseline."""
        return Ease(
            self.vocabulary, self.taste, shrinkage, columns, weights,
            excludes_seen=self.excludes_seen,
        )  # fmt: skip

    def quality(self, baseline: Baseline) -> float:
        """NDCG@10 of *baseline* on the validation targets, or on a fixed sample of them.

        Where the last events in time will be asked, people count by how many events they have.
        """
        return self.quality_of(baseline.score_events)

    def quality_of(self, scored: Scored) -> float:
        """Tell what `quality` does of whatever scores places."""
        (quality,) = self._qualities(lambda windows: [scored(windows)], self._tuning)
        return quality

    def qualities(self, scored: ScoredInWays) -> list[float]:
        """Tell what `quality` does of several ways to score, and more surely."""
        return self._qualities(scored, self._questions(_SURE_TARGETS))

    def _qualities(self, scored: ScoredInWays, asked: "_Questions") -> list[float]:
        by_batch = []
        for windows, begun, wanted in asked.batches:
            by_way = []
            for scores in scored(windows):
                if self.excludes_seen:
                    scores[begun.seen(scores.shape[1])] = -np.inf
                by_way.append(gains(worst_ranks(scores, wanted)))
            by_batch.append(by_way)
        return [
            float(np.concatenate(gained) @ asked.weights) for gained in zip(*by_batch, strict=True)
        ]

    @cached_property
    def _tuning(self) -> "_Questions":
        """What is asked of each of very many candidates."""
        return self._questions(_TUNING_TARGETS)

    def _questions(self, most: int) -> "_Questions":
        """Choose at most so many validation targets, the same ones each time, and weigh them."""
        targets = self.parts.validation_targets
        if len(targets) > most:
            generator = np.random.default_rng(_SEED)
            targets = np.sort(generator.choice(targets, most, replace=False))
        begins = self.data.offsets[self.data.event_users[targets]]
        starts = np.maximum(begins, targets - MAX_EVENTS)
        rows = max(1, _CELLS_AT_ONCE // max(1, len(self.vocabulary)))
        # One batch at least, so that each way has a figure where nothing validates, too.
        parts = [slice(first, first + rows) for first in range(0, max(1, len(targets)), rows)]
        return _Questions(
            batches=[
                (
                    EventWindows(self.events, starts[part], targets[part]),
                    EventWindows(self.events, begins[part], targets[part]),
                    self._places(targets[part]),
                )
                for part in parts
            ],
            weights=_weights(self.data, self.parts, targets),
        )

    def _places(self, events: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.events.places[events] - SPECIAL_TOKENS


def _weights(data: TrainingSet, parts: Split, targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh *targets* as they stand for what will be asked: events where there is a cut in time.

    Of each person equally few validate, but on the ``time`` split who does more is asked oftener,
    though nobody more than `capped_shares` lets them.
    """
    if not len(parts.time_targets):
        return np.full(len(targets), 1 / max(1, len(targets)))
    people, members, counts = np.unique(
        data.event_users[targets], return_inverse=True, return_counts=True
    )
    shares = capped_shares((parts.ends - data.offsets[:-1])[people])
    weights: NDArray[np.float64] = (shares / counts)[members]
    return weights
