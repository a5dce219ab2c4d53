"""What baselines are fitted on and tuned by: one set's training part, counted once for all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.baselines.base import Baseline
from models_ml.baselines.counting import CountingBaseline
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.ease import Ease, Shrinkage, shared_people
from models_ml.baselines.item_neighbours import Neighbours, Pairs, co_occurrences
from models_ml.data.split import (
    Split,
    excludes_seen,
    known_events,
    known_offsets,
    learned_events,
    split,
)
from models_ml.data.tokens import MAX_EVENTS, SPECIAL_TOKENS, EventTokens, Vocabulary
from models_ml.data.training_set import TrainingSet
from models_ml.metrics import gains, worst_ranks
from models_ml.user_vectors_fit import fit_taste

Settings = dict[str, float]
Scored = Callable[
    [EventTokens, NDArray[np.int64], NDArray[np.int64]], Iterable[NDArray[np.float32]]
]
_TUNING_TARGETS, _SURE_TARGETS = 2000, 8000
_ROWS_AT_ONCE = 256
_LAGS = 30


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


class Fit:
    """The training part of one set.

    ``learned`` are the positions of the events that candidates are fitted on, ``known`` those of
    what is kept, the validating ones included.
    """

    def __init__(self, data: TrainingSet, seed: int) -> None:
        """Count what all baselines need."""
        self.data, parts = data, split(data)
        self.learned, self.known = learned_events(data, parts), known_events(data, parts)
        self.vocabulary = Vocabulary.build(data, self.known)
        self.events = self.vocabulary.encode_training_set(data)
        self.excludes_seen = excludes_seen(data, parts)
        offsets = known_offsets(data, parts)
        tokens = replace(self.events, places=self.events.places[self.known])
        self.taste = fit_taste(tokens, offsets, self.vocabulary, seed)
        self._parts, self._seed = parts, seed
        self._asked, self._asked_weights = self._sample(_TUNING_TARGETS)

    @property
    def can_tune(self) -> bool:
        """Whether anything validates."""
        return len(self._asked) > 0

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
        (quality,) = self._qualities(
            lambda *windows: [baseline.score_events(*windows)], self._asked, self._asked_weights
        )
        return quality

    def qualities(self, scored: Scored) -> list[float]:
        """Tell what `quality` does of several ways to score, and more surely.

        *scored* gives them all at once: (events, starts, stops) to scores (B, P) after each window,
        once for each way.
        """
        return self._qualities(scored, *self._sample(_SURE_TARGETS))

    def _qualities(
        self, scored: Scored, asked: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> list[float]:
        begins = self.data.offsets[self.data.event_users[asked]]
        starts = np.maximum(begins, asked - MAX_EVENTS)
        by_batch = []
        # Once at least, so that each way has a figure where nothing validates, too.
        for first in range(0, max(1, len(asked)), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            wanted = self._places(asked[part])
            by_way = []
            for scores in scored(self.events, starts[part], asked[part]):
                if self.excludes_seen:
                    self._hide_seen(scores, begins[part], asked[part])
                by_way.append(gains(worst_ranks(scores, wanted)))
            by_batch.append(by_way)
        return [float(np.concatenate(gained) @ weights) for gained in zip(*by_batch, strict=True)]

    def _sample(self, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Choose at most so many validation targets, the same ones each time, and weigh them."""
        targets = self._parts.validation_targets
        if len(targets) > most:
            generator = np.random.default_rng(self._seed)
            targets = np.sort(generator.choice(targets, most, replace=False))
        return targets, _weights(self.data, self._parts, targets)

    def _hide_seen(
        self, scores: NDArray[np.float32], begins: NDArray[np.int64], targets: NDArray[np.int64]
    ) -> None:
        for row, (begin, target) in enumerate(zip(begins, targets, strict=True)):
            seen = self._places(np.arange(begin, target))
            scores[row, seen[(seen >= 0) & (seen < scores.shape[1])]] = -np.inf

    def _places(self, events: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.events.places[events] - SPECIAL_TOKENS


def _weights(data: TrainingSet, parts: Split, targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh *targets* as they stand for what will be asked: events where there is a cut in time.

    Of each person equally few validate, but on the ``time`` split who does more is asked oftener.
    """
    people = data.event_users[targets]
    weights = np.ones(len(targets))
    if len(parts.time_targets):
        weights = (parts.ends - data.offsets[:-1])[people] / np.bincount(people)[people]
    return weights / max(1.0, weights.sum())
