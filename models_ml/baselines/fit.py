"""Fit the baselines: what a model has to beat, tuned on validation and counted on what is known."""

from dataclasses import fields
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models_ml.baselines.base import Baseline
from models_ml.baselines.co_occurrence import (
    FADING,
    Axes,
    Pointing,
    fit_co_occurrence,
    tune_own_visits,
)
from models_ml.baselines.counting import CountingBaseline
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.ease import Ease, Shrinkage, fit_weights, most_visited
from models_ml.baselines.item_neighbours import Neighbours, nearest
from models_ml.baselines.tuning import Fit, Settings, climb
from models_ml.data.tokens import Vocabulary
from models_ml.data.training_set import TrainingSet
from models_ml.model_folder import BaselineConfig, ModelFolder, ModelFolderError
from models_ml.user_vectors import Taste

# What is tried of each setting.
_ITEM_KNN: Axes = {"follow_power": FADING, "shrinkage": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)}
_EASE: Axes = {"age": (3.0, 6.0, 10.0, 30.0), "penalty": (100.0, 300.0, 1000.0)}


def read_baseline(folder: ModelFolder, config: BaselineConfig) -> Baseline:
    """Read what `Baseline.save` wrote.

    Raises:
        ModelFolderError: an earlier version wrote it, otherwise than it is read now.
    """
    kind, settings = (Ease, Shrinkage) if config.name == "ease" else (CountingBaseline, Counting)
    tensors = load_file(folder.weights)
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


def fit_baselines(data: TrainingSet, seed: int = 0) -> list[Baseline]:
    """Fit every baseline on the training part; what they leave open is tuned on validation."""
    fit = Fit(data, seed)
    own = tune_own_visits(fit)
    return [
        fit.visiting(Counting("popularity")),
        fit.visiting(Counting("own_visits", own=1.0, **own)),
        _fit_item_knn(fit),
        _fit_ease(fit),
        fit.counting(fit_co_occurrence(fit, own).known),
    ]


def _fit_item_knn(fit: Fit) -> Baseline:
    def made(settings: Settings, pointing: Pointing) -> Baseline:
        counting = Counting("item_knn", follow=1.0, follow_power=settings["follow_power"])
        return fit.counting(Counts(counting, pointing(settings)))

    learned = _together(fit, fit.learned)
    best = climb(
        {"follow_power": 1.0, "shrinkage": 3.0},
        _ITEM_KNN,
        lambda settings: fit.quality(made(settings, learned)),
    )
    return made(best, _together(fit, fit.known))


def _together(fit: Fit, events: NDArray[np.int64]) -> Pointing:
    """Point by the cosine of who chose both; shrinkage is so many people more for each place."""
    pairs, people = fit.together(events)

    @lru_cache(maxsize=1)
    def neighbours(shrinkage: float) -> Neighbours:
        scale = np.maximum(1.0, people + shrinkage) ** -0.5
        return nearest(pairs, scale).scaled(scale)

    return lambda settings: neighbours(settings["shrinkage"])


def _fit_ease(fit: Fit) -> Baseline:
    columns = most_visited(fit.vocabulary)
    learned = fit.shared_people(fit.learned, columns)
    solved = lru_cache(maxsize=1)(partial(fit_weights, learned))
    best = Shrinkage(
        **climb(
            {"age": 10.0, "penalty": 300.0},
            _EASE,
            lambda settings: fit.quality(
                fit.ease(Shrinkage(**settings), columns, solved(settings["penalty"]))
            ),
        )
    )
    known = fit.shared_people(fit.known, columns)
    return fit.ease(best, columns, fit_weights(known, best.penalty))
