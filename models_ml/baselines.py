"""Fit the baselines: what a model has to beat, tuned on validation and counted on what is known."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models_ml.baseline import Baseline
from models_ml.counting import (
    FORGOTTEN,
    Block,
    Counting,
    CountingBaseline,
    Neighbours,
    co_occurrences,
    nearest,
)
from models_ml.ease import Ease, Shrinkage, fit_weights, most_visited, shared_people
from models_ml.metrics import gains, worst_ranks
from models_ml.split import (
    excludes_seen,
    known_events,
    known_offsets,
    learned_events,
    split,
)
from models_ml.taste import Taste, fit_taste
from models_ml.tokens import MAX_EVENTS, SPECIAL_TOKENS, Vocabulary
from models_ml.training_set import TrainingSet

_TUNING_TARGETS = 2000
_ROWS_AT_ONCE = 256


def read_baseline(folder: Path, config: dict[str, Any]) -> Baseline:
    """Read what `Baseline.save` wrote."""
    tensors = load_file(folder / "model.safetensors")
    taste = Taste(tensors["taste.factors"], tensors["taste.mean"])
    kind = Ease if config["name"] == "ease" else CountingBaseline
    return kind.restore(Vocabulary.read(folder), taste, config, tensors)


class _Fit:
    """The training part of one set, counted once for all baselines."""

    def __init__(self, data: TrainingSet, seed: int) -> None:
        self.data, self.parts = data, split(data)
        self.known = known_events(data, self.parts)
        self.vocabulary = Vocabulary.build(data, self.known)
        self.events = self.vocabulary.encode_training_set(data)
        self.excludes_seen = excludes_seen(data, self.parts)
        offsets = known_offsets(data, self.parts)
        tokens = replace(self.events, places=self.events.places[self.known])
        self.taste = fit_taste(tokens, offsets, len(self.vocabulary), seed)
        targets = self.parts.validation_targets
        if len(targets) > _TUNING_TARGETS:
            generator = np.random.default_rng(seed)
            targets = np.sort(generator.choice(targets, _TUNING_TARGETS, replace=False))
        self.targets = targets

    def follows(self, events: NDArray[np.int64], lag_age: float) -> Iterator[Block]:
        """Count which place comes after which, fading with the distance."""
        lags = np.arange(int(FORGOTTEN * lag_age)) + 1
        return co_occurrences(
            self._places(events),
            self.data.event_users[events],
            len(self.vocabulary),
            np.exp(-(lags - 1) / lag_age),
            steps=(1,),
        )

    def together(self, events: NDArray[np.int64]) -> Neighbours:
        """Find which places share people, within a person's `MAX_EVENTS` nearest choices."""
        size = len(self.vocabulary)
        pairs = self.data.event_users[events] * size + self._places(events)
        firsts = events[np.sort(np.unique(pairs, return_index=True)[1])]
        places = self._places(firsts)
        counts = co_occurrences(
            places, self.data.event_users[firsts], size, np.ones(MAX_EVENTS), steps=(1, -1)
        )
        people = np.bincount(places, minlength=size).astype(np.float64)
        return nearest(counts, people, power_from=0.5, power_to=0.5)

    def counting(self, counting: Counting, neighbours: Neighbours) -> CountingBaseline:
        return CountingBaseline(
            self.vocabulary, counting, neighbours, self.taste, excludes_seen=self.excludes_seen
        )

    def ease(
        self, shrinkage: Shrinkage, columns: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> Ease:
        return Ease(
            self.vocabulary, self.taste, shrinkage, columns, weights,
            excludes_seen=self.excludes_seen,
        )  # fmt: skip

    def shared_people(self, events: NDArray[np.int64], columns: NDArray[np.int32]) -> torch.Tensor:
        """Count how many people chose both of two places of *columns*, (C, C)."""
        people = self.data.event_users[events]
        return shared_people(self._places(events), people, columns, len(self.vocabulary))

    def best(self, choices: Iterable[Baseline]) -> int:
        """Return the number of the choice with the best NDCG@10 on the validation targets."""
        if len(self.targets) == 0:
            return 0
        return int(np.argmax([self._quality(choice) for choice in choices]))

    def _places(self, events: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.events.places[events] - SPECIAL_TOKENS

    def _quality(self, baseline: Baseline) -> float:
        begins = self.data.offsets[self.data.event_users[self.targets]]
        starts = np.maximum(begins, self.targets - MAX_EVENTS)
        found = np.zeros(len(self.targets))
        for first in range(0, len(self.targets), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            scores = baseline.score_events(self.events, starts[part], self.targets[part])
            if self.excludes_seen:
                for row, target in enumerate(self.targets[part]):
                    seen = self._places(np.arange(begins[first + row], target))
                    scores[row, seen[(seen >= 0) & (seen < scores.shape[1])]] = -np.inf
            found[part] = gains(worst_ranks(scores, self._places(self.targets[part])))
        return float(found.mean())


def fit_baselines(data: TrainingSet, seed: int = 0) -> list[Baseline]:
    """Fit every baseline on the training part; what they leave open is tuned on validation."""
    fit = _Fit(data, seed)
    none = Neighbours.none(len(fit.vocabulary))
    ages = [Counting("own_visits", own=1.0, own_age=age) for age in (20.0, 50.0, 1e6)]
    own = ages[fit.best(fit.counting(age, none) for age in ages)]
    return [
        fit.counting(Counting("popularity"), none),
        fit.counting(own, none),
        _fit_item_knn(fit),
        _fit_ease(fit),
        _fit_co_occurrence(fit, own),
    ]


def _fit_item_knn(fit: _Fit) -> Baseline:
    neighbours = fit.together(learned_events(fit.data, fit.parts))
    choices = [Counting("item_knn", follow=1.0, follow_age=age) for age in (3.0, 10.0, 30.0)]
    best = fit.best(fit.counting(choice, neighbours) for choice in choices)
    return fit.counting(choices[best], fit.together(fit.known))


def _fit_ease(fit: _Fit) -> Baseline:
    columns = most_visited(fit.vocabulary)
    learned = fit.shared_people(learned_events(fit.data, fit.parts), columns)
    choices = [
        Shrinkage(penalty, age) for penalty in (100.0, 300.0, 1000.0) for age in (3.0, 10.0, 30.0)
    ]
    solved = {penalty: fit_weights(learned, penalty) for penalty in {c.penalty for c in choices}}
    best = choices[
        fit.best(fit.ease(choice, columns, solved[choice.penalty]) for choice in choices)
    ]
    known = fit.shared_people(fit.known, columns)
    return fit.ease(best, columns, fit_weights(known, best.penalty))


def _fit_co_occurrence(fit: _Fit, own: Counting) -> Baseline:
    counts = fit.vocabulary.places.event_counts.astype(np.float64)
    shares = (0.0,) if fit.excludes_seen else (0.02, 0.05, 0.1)
    learned = learned_events(fit.data, fit.parts)
    candidates: list[CountingBaseline] = []
    settings: list[tuple[Counting, float, float]] = []
    for lag_age, power in ((3.0, 0.3), (10.0, 0.3), (10.0, 0.5)):
        neighbours = nearest(fit.follows(learned, lag_age), counts, 1.0, power)
        for follow_age in (1.0, 3.0, 6.0):
            for share in shares:
                counting = Counting("co_occurrence", share, own.own_age, 1.0, follow_age)
                candidates.append(fit.counting(counting, neighbours))
                settings.append((counting, lag_age, power))
    counting, lag_age, power = settings[fit.best(candidates)]
    return fit.counting(counting, nearest(fit.follows(fit.known, lag_age), counts, 1.0, power))
