"""Baselines: four ways of counting that a model has to beat, behind the model's own interface.

All are one sum: how popular a place is, how often and how lately the person was
there, and how much the places of their history point to it. They differ in
which of these they use.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from models_ml.checkpoints import save_safetensors
from models_ml.metrics import gains, worst_ranks
from models_ml.split import (
    excludes_seen,
    known_events,
    known_offsets,
    learned_events,
    split,
)
from models_ml.taste import Taste, fit_taste
from models_ml.tokens import MAX_EVENTS, SPECIAL_TOKENS, EventTokens, History, Vocabulary
from models_ml.training_set import PlaceTable, TrainingSet

NEIGHBOURS = 200
_CELLS_AT_ONCE = 16_000_000
_TUNING_TARGETS = 2000
_TIE_BREAK = 1e-6
_FORGOTTEN = 5.0
_ROWS_AT_ONCE = 256


class _Block(NamedTuple):
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


class Baseline:
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
        self.name = counting.name
        self.excludes_seen = excludes_seen
        self._vocabulary = vocabulary
        self._counting = counting
        self._neighbours = neighbours
        self._taste = taste
        counts = vocabulary.places.event_counts
        self._popularity = (counts / max(1, counts.max(initial=0))).astype(np.float32)

    @classmethod
    def read(cls, folder: Path, config: dict[str, Any]) -> "Baseline":
        """Read what `save` wrote."""
        tensors = {
            name: value.numpy() for name, value in load_file(folder / "model.safetensors").items()
        }
        return cls(
            Vocabulary.read(folder),
            Counting(**config["architecture"]),
            Neighbours(tensors["neighbours.places"], tensors["neighbours.weights"]),
            Taste(tensors["taste.factors"], tensors["taste.mean"]),
            excludes_seen=config["excludes_seen"],
        )

    def save(self, folder: Path, training_set_hash: str) -> None:
        """Write the baseline as a model folder."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"neighbours.{name}": value for name, value in vars(self._neighbours).items()}
        tensors |= {f"taste.{name}": value for name, value in vars(self._taste).items()}
        save_safetensors(
            {name: torch.from_numpy(value).contiguous() for name, value in tensors.items()},
            folder / "model.safetensors",
            {},
        )
        self._vocabulary.write(folder)
        config = {
            "kind": "baseline",
            "name": self.name,
            "architecture": asdict(self._counting),
            "preset": None,
            "seed": 0,
            "training_set_hash": training_set_hash,
            "excludes_seen": self.excludes_seen,
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")

    @property
    def places(self) -> PlaceTable:
        """The places that the training part has seen."""
        return self._vocabulary.places

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""
        return self._taste.dimensions

    def score(self, histories: Sequence[History]) -> NDArray[np.float32]:
        """Score every place as the next of each history, (B, P)."""
        events, offsets = self._vocabulary.encode(histories)
        return self._score(events, offsets[:-1], offsets[1:])

    def embed(self, histories: Sequence[History]) -> NDArray[np.float32]:
        """Turn each history into a vector of unit length, (B, D)."""
        return self._taste.vectors(*self._vocabulary.encode(histories))

    def _score(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        size = len(self._popularity)
        scores = np.tile(self._popularity * _TIE_BREAK, (len(starts), 1))
        for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            places = events.places[start:stop][::-1] - SPECIAL_TOKENS
            is_known = (places >= 0) & (places < size)
            ages, places = np.flatnonzero(is_known), places[is_known]
            if self._counting.own:
                fading = self._counting.own * np.exp(-ages / self._counting.own_age)
                scores[row] += np.bincount(places, weights=fading, minlength=size)
            if self._counting.follow:
                near = ages < _FORGOTTEN * self._counting.follow_age
                fading = self._counting.follow * np.exp(-ages[near] / self._counting.follow_age)
                pointed = self._neighbours.places[places[near]]
                weights = self._neighbours.weights[places[near]] * fading[:, None]
                scores[row] += np.bincount(pointed.ravel(), weights=weights.ravel(), minlength=size)
        return scores


class _Fit:
    """The training part of one set, counted once for all baselines."""

    def __init__(self, data: TrainingSet, seed: int) -> None:
        self.data, self.parts = data, split(data)
        self.known = known_events(data, self.parts)
        self.vocabulary = Vocabulary.build(data, self.known)
        self.events = self.vocabulary.encode_training_set(data)
        self.excludes_seen = excludes_seen(data, self.parts)
        offsets = known_offsets(data, self.parts)
        tokens = EventTokens(**vars(self.events) | {"places": self.events.places[self.known]})
        self.taste = fit_taste(tokens, offsets, len(self.vocabulary), seed)
        targets = self.parts.validation_targets
        if len(targets) > _TUNING_TARGETS:
            generator = np.random.default_rng(seed)
            targets = np.sort(generator.choice(targets, _TUNING_TARGETS, replace=False))
        self.targets = targets

    def follows(self, events: NDArray[np.int64], lag_age: float) -> Iterator[_Block]:
        """Count which place comes after which, fading with the distance."""
        lags = np.arange(int(_FORGOTTEN * lag_age)) + 1
        return _co_occurrences(
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
        counts = _co_occurrences(
            places, self.data.event_users[firsts], size, np.ones(MAX_EVENTS), steps=(1, -1)
        )
        people = np.bincount(places, minlength=size).astype(np.float64)
        return _nearest(counts, people, power_from=0.5, power_to=0.5)

    def baseline(self, counting: Counting, neighbours: Neighbours) -> Baseline:
        return Baseline(
            self.vocabulary,
            counting,
            neighbours,
            self.taste,
            excludes_seen=self.excludes_seen,
        )

    def best(self, choices: list[tuple[Counting, Neighbours]]) -> int:
        """Return the number of the choice with the best NDCG@10 on the validation targets."""
        if len(self.targets) == 0:
            return 0
        return int(np.argmax([self._quality(self.baseline(*choice)) for choice in choices]))

    def _places(self, events: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.events.places[events] - SPECIAL_TOKENS

    def _quality(self, baseline: Baseline) -> float:
        begins = self.data.offsets[self.data.event_users[self.targets]]
        starts = np.maximum(begins, self.targets - MAX_EVENTS)
        found = np.zeros(len(self.targets))
        for first in range(0, len(self.targets), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            scores = baseline._score(self.events, starts[part], self.targets[part])  # noqa: SLF001
            if self.excludes_seen:
                for row, target in enumerate(self.targets[part]):
                    seen = self._places(np.arange(begins[first + row], target))
                    scores[row, seen[(seen >= 0) & (seen < scores.shape[1])]] = -np.inf
            found[part] = gains(worst_ranks(scores, self._places(self.targets[part])))
        return float(found.mean())


def fit_baselines(data: TrainingSet, seed: int = 0) -> list[Baseline]:
    """Fit the four baselines on the training part; what they leave open is tuned on validation."""
    fit = _Fit(data, seed)
    size = len(fit.vocabulary)
    none = Neighbours.none(size)
    ages = [Counting("own_visits", own=1.0, own_age=age) for age in (20.0, 50.0, 1e6)]
    own = ages[fit.best([(counting, none) for counting in ages])]
    return [
        fit.baseline(Counting("popularity"), none),
        fit.baseline(own, none),
        _fit_item_knn(fit),
        _fit_co_occurrence(fit, own),
    ]


def _fit_item_knn(fit: _Fit) -> Baseline:
    neighbours = fit.together(learned_events(fit.data, fit.parts))
    choices = [Counting("item_knn", follow=1.0, follow_age=age) for age in (3.0, 10.0, 30.0)]
    best = fit.best([(counting, neighbours) for counting in choices])
    return fit.baseline(choices[best], fit.together(fit.known))


def _fit_co_occurrence(fit: _Fit, own: Counting) -> Baseline:
    counts = fit.vocabulary.places.event_counts.astype(np.float64)
    shares = (0.0,) if fit.excludes_seen else (0.02, 0.05, 0.1)
    learned = learned_events(fit.data, fit.parts)
    candidates: list[tuple[Counting, Neighbours]] = []
    settings: list[tuple[float, float]] = []
    for lag_age, power in ((3.0, 0.3), (10.0, 0.3), (10.0, 0.5)):
        neighbours = _nearest(fit.follows(learned, lag_age), counts, 1.0, power)
        for follow_age in (1.0, 3.0, 6.0):
            for share in shares:
                counting = Counting("co_occurrence", share, own.own_age, 1.0, follow_age)
                candidates.append((counting, neighbours))
                settings.append((lag_age, power))
    best = fit.best(candidates)
    lag_age, power = settings[best]
    neighbours = _nearest(fit.follows(fit.known, lag_age), counts, 1.0, power)
    return fit.baseline(candidates[best][0], neighbours)


def _co_occurrences(
    places: NDArray[np.int64],
    users: NDArray[np.int64],
    size: int,
    lag_weights: NDArray[np.float64],
    steps: tuple[int, ...],
) -> Iterator[_Block]:
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
        yield _Block(slice(begin, end), block.reshape(end - begin, size))


def _nearest(
    blocks: Iterator[_Block],
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
