"""Fit the baselines: what a model has to beat, tuned on validation and counted on what is known."""

import hashlib
import json
from dataclasses import fields, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models_ml.baselines.base import Baseline
from models_ml.baselines.co_occurrence import (
    CO_OCCURRENCE,
    FADING,
    OWN,
    OWN_HOUR,
    SHARES,
    Axes,
    Pointing,
    count_co_occurrence,
    tune_co_occurrence,
    tune_own_visits,
)
from models_ml.baselines.counting import CountingBaseline
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.ease import Ease, Shrinkage, fit_weights, most_visited
from models_ml.baselines.item_neighbours import Neighbours, nearest
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.linear_counts import NAME as LINEAR
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.baselines.linear_counts_fit import counted_in, tune_linear_counts
from models_ml.baselines.shares import AFTER_EVENTS, POPULAR
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit, Settings, climb
from models_ml.data.tokens import Vocabulary
from models_ml.data.training_set import TrainingSet
from models_ml.model_folder import BaselineConfig, ModelFolder, ModelFolderError
from models_ml.user_vectors import Taste

# What is tried of each setting.
_ITEM_KNN: Axes = {"follow_power": FADING, "shrinkage": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)}
_EASE: Axes = {"age": (3.0, 6.0, 10.0, 30.0), "penalty": (100.0, 300.0, 1000.0)}
TRIED = hashlib.sha256(
    json.dumps(
        [OWN, OWN_HOUR, SHARES, CO_OCCURRENCE, _ITEM_KNN, _EASE, AFTER_EVENTS, POPULAR]
    ).encode()
).hexdigest()
"""Names all that is tried."""


def read_baseline(folder: ModelFolder, config: BaselineConfig) -> Baseline:
    """Read what `Baseline.save` wrote.

    Raises:
        ModelFolderError: an earlier version wrote it, otherwise than it is read now.
    """
    kind, settings = (Ease, Shrinkage) if config.name == "ease" else (CountingBaseline, Counting)
    tensors = load_file(folder.weights)
    if config.name == LINEAR:
        if not LinearCounts.are_in(config.architecture):
            raise _earlier(folder, "other shares")
        vocabulary = Vocabulary.read(folder)
        return LinearBaseline.restore(vocabulary, Taste.restore(tensors), config, tensors)
    wanted = {field.name for field in fields(settings)}
    if config.architecture.keys() != wanted:
        raise _earlier(
            folder, f"settings {sorted(config.architecture)} where {sorted(wanted)} are read now"
        )
    if kind is CountingBaseline and not Counts.are_all_in(tensors):
        raise _earlier(folder, "neighbours laid out as they are no more")
    return kind.restore(Vocabulary.read(folder), Taste.restore(tensors), config, tensors)


def _earlier(folder: ModelFolder, found: str) -> ModelFolderError:
    return ModelFolderError(
        f"{folder.config}: an earlier version fitted this baseline, with {found}. "
        "Fit and release it anew: tastemate run"
    )


def counts_tuned_for(fit: Fit, kept: Path | None) -> Tuned:
    """Read from *kept* how visits and co-occurrence are best on *fit*'s set, or find out.

    What was found is kept there. It takes a fraction of the time that all baselines take.
    """
    found = Tuned.read(kept, fit.data.hash, TRIED) if kept else None
    if found:
        return found
    own = tune_own_visits(fit)
    co_occurrence = tune_co_occurrence(fit, own)
    best, *others = tune_linear_counts(fit, co_occurrence)
    found = Tuned(fit.data.hash, TRIED, own, co_occurrence, best, others)
    if kept:
        found.write(kept)
    return found


def tuned_for(fit: Fit, kept: Path | None = None) -> Tuned:
    """Do what `counts_tuned_for` does for every baseline."""
    found = counts_tuned_for(fit, kept)
    if found.item_knn is None or found.ease is None:
        found = replace(found, item_knn=_tune_item_knn(fit), ease=_tune_ease(fit))
        if kept:
            found.write(kept)
    return found


def _tune_item_knn(fit: Fit) -> Settings:
    pointing = _together(fit, fit.learned)
    return climb(
        {"follow_power": 1.0, "shrinkage": 3.0},
        _ITEM_KNN,
        lambda settings: fit.quality(_item_knn(fit, settings, pointing)),
    )


def _tune_ease(fit: Fit) -> Settings:
    columns = most_visited(fit.vocabulary)
    shared = fit.shared_people(fit.learned, columns)
    solved = lru_cache(maxsize=1)(partial(fit_weights, shared))
    return climb(
        {"age": 10.0, "penalty": 300.0},
        _EASE,
        lambda settings: fit.quality(
            fit.ease(Shrinkage(**settings), columns, solved(settings["penalty"]))
        ),
    )


def fit_baselines(data: TrainingSet, kept: Path | None = None) -> list[Baseline]:
    """Fit every baseline on the training part; what they leave open is tuned on validation.

    What tuning has found is read from the file *kept*, or written there.
    """
    fit = Fit(data)
    return baselines_of(fit, tuned_for(fit, kept))


def baselines_of(fit: Fit, tuned: Tuned) -> list[Baseline]:
    """Fit every baseline as it was *tuned*."""
    return [
        *_counting(fit, tuned),
        _item_knn(fit, tuned.item_knn or {}, _together(fit, fit.known)),
        _ease(fit, Shrinkage(**tuned.ease or {})),
    ]


def from_other_starts(tuned: Tuned, linear: LinearBaseline, fit: Fit) -> list[LinearBaseline]:
    """Weigh what *linear* has counted as the climbs from other starts found."""
    tables = linear.counts.tables
    return [fit.linear(LinearCounts.weighed(tables, weights)) for weights in tuned.other_starts]


def fit_counts(data: TrainingSet, kept: Path | None = None) -> list[Baseline]:
    """Do what `fit_baselines` does for those of them that are soon fitted, the best among them."""
    fit = Fit(data)
    return _counting(fit, counts_tuned_for(fit, kept))


def _counting(fit: Fit, tuned: Tuned) -> list[Baseline]:
    return [
        fit.visiting(Counting("popularity")),
        fit.visiting(Counting("own_visits", own=1.0, **tuned.own_visits)),
        fit.counting(count_co_occurrence(fit, tuned)),
        fit.linear(counted_in(fit, tuned, fit.known)),
    ]


def _ease(fit: Fit, shrinkage: Shrinkage) -> Baseline:
    columns = most_visited(fit.vocabulary)
    weights = fit_weights(fit.shared_people(fit.known, columns), shrinkage.penalty)
    return fit.ease(shrinkage, columns, weights)


def _item_knn(fit: Fit, settings: Settings, pointing: Pointing) -> Baseline:
    counting = Counting("item_knn", follow=1.0, follow_power=settings["follow_power"])
    return fit.counting(Counts(counting, pointing(settings)))


def _together(fit: Fit, events: NDArray[np.int64]) -> Pointing:
    """Point by the cosine of who chose both; shrinkage is so many people more for each place."""
    pairs, people = fit.together(events)

    @lru_cache(maxsize=1)
    def neighbours(shrinkage: float) -> Neighbours:
        scale = np.maximum(1.0, people + shrinkage) ** -0.5
        return nearest(pairs, scale).scaled(scale)

    return lambda settings: neighbours(settings["shrinkage"])
