"""Fit the baselines: what a model has to beat, tuned on validation and counted on what is known."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models_ml.baseline import Baseline
from models_ml.counting import Counting, CountingBaseline
from models_ml.ease import Ease, Shrinkage, fit_weights, most_visited
from models_ml.fitting import Fit, Settings, climb
from models_ml.neighbours import Neighbours, nearest
from models_ml.recommender import ModelFolderError
from models_ml.taste import Taste
from models_ml.tokens import Vocabulary
from models_ml.training_set import TrainingSet

Axes = Mapping[str, tuple[float, ...]]
Pointing = Callable[[Settings], Neighbours]

# What is tried of each setting.
_OWN: Axes = {
    "own_age": (10.0, 20.0, 30.0, 50.0, 100.0, 1e6),
    "own_next": (0.0, 1.0, 2.0, 4.0, 8.0),
}
_OWN_HOUR: Axes = {"own_hour": (0.0, 0.5, 1.0, 2.0, 4.0)}
_POWERS = (0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)
_ITEM_KNN: Axes = {"follow_power": _POWERS, "shrinkage": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)}
_CO_OCCURRENCE: Axes = {
    "follow_power": _POWERS,
    "power_from": (0.0, 0.15, 0.3, 0.5, 0.65, 0.8, 1.0),
    "power_to": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "lag_power": (0.3, 0.6, 1.0, 1.5),
}
_SHARES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
_EASE: Axes = {"age": (3.0, 6.0, 10.0, 30.0), "penalty": (100.0, 300.0, 1000.0)}


def read_baseline(folder: Path, config: dict[str, Any]) -> Baseline:
    """Read what `Baseline.save` wrote.

    Raises:
        ModelFolderError: an earlier version wrote it, with other settings.
    """
    kind, settings = (Ease, Shrinkage) if config["name"] == "ease" else (CountingBaseline, Counting)
    wanted = {field.name for field in fields(settings)}
    if config["architecture"].keys() != wanted:
        raise ModelFolderError(
            f"{folder / 'config.json'}: an earlier version fitted this baseline, with settings "
            f"{sorted(config['architecture'])} where {sorted(wanted)} are read now. "
            "Fit and release it anew: tastemate run"
        )
    tensors = load_file(folder / "model.safetensors")
    return kind.restore(Vocabulary.read(folder), Taste.restore(tensors), config, tensors)


def fit_baselines(data: TrainingSet, seed: int = 0) -> list[Baseline]:
    """Fit every baseline on the training part; what they leave open is tuned on validation."""
    fit = Fit(data, seed)
    own = _tune_own_visits(fit)
    return [
        fit.counting(Counting("popularity")),
        fit.counting(Counting("own_visits", own=1.0, **own)),
        _fit_item_knn(fit),
        _fit_ease(fit),
        _fit_co_occurrence(fit, own),
    ]


def _tune_own_visits(fit: Fit) -> Settings:
    start = {"own_age": 50.0, "own_next": 4.0, "own_hour": 0.0}
    # Where nobody returns all settings are equal; where times are made up, so are hours.
    axes = {} if fit.excludes_seen else _OWN
    if axes and not fit.data.is_time_synthetic:
        start, axes = {**start, "own_hour": 1.0}, {**axes, **_OWN_HOUR}
    return climb(
        start,
        axes,
        lambda settings: fit.quality(fit.counting(Counting("own_visits", own=1.0, **settings))),
    )


def _fit_item_knn(fit: Fit) -> Baseline:
    def made(settings: Settings, pointing: Pointing) -> Baseline:
        counting = Counting("item_knn", follow=1.0, follow_power=settings["follow_power"])
        return fit.counting(counting, pointing(settings))

    learned = _together(fit, fit.learned)
    best = climb(
        {"follow_power": 1.0, "shrinkage": 3.0},
        _ITEM_KNN,
        lambda settings: fit.quality(made(settings, learned)),
    )
    return made(best, _together(fit, fit.known))


def _fit_co_occurrence(fit: Fit, own: Settings) -> Baseline:
    def made(settings: Settings, pointing: Pointing) -> Baseline:
        share, power = settings["own"], settings["follow_power"]
        counting = Counting(
            "co_occurrence", own=share, follow=1.0 - share, follow_power=power, **own
        )
        return fit.counting(counting, pointing(settings))

    learned = _following(fit, fit.learned)
    best = climb(
        {"own": 0.0 if fit.excludes_seen else 0.5, "follow_power": 1.0,
         "power_from": 0.8, "power_to": 0.3, "lag_power": 1.0},
        _CO_OCCURRENCE if fit.excludes_seen else {"own": _SHARES, **_CO_OCCURRENCE},
        lambda settings: fit.quality(made(settings, learned)),
    )  # fmt: skip
    return made(best, _following(fit, fit.known))


def _together(fit: Fit, events: NDArray[np.int64]) -> Pointing:
    """Point by the cosine of who chose both; shrinkage is so many people more for each place."""
    pairs, people = fit.together(events)

    @lru_cache(maxsize=1)
    def neighbours(shrinkage: float) -> Neighbours:
        scale = np.maximum(1.0, people + shrinkage) ** -0.5
        return nearest(pairs, scale).scaled(scale)

    return lambda settings: neighbours(settings["shrinkage"])


def _following(fit: Fit, events: NDArray[np.int64]) -> Pointing:
    """Point by what came after, divided by powers of how often both places were visited."""
    often = np.maximum(1.0, fit.visits(events))
    counted = lru_cache(maxsize=1)(partial(fit.follows, events))

    @lru_cache(maxsize=1)
    def neighbours(lag_power: float, power_to: float) -> Neighbours:
        return nearest(counted(lag_power), often**-power_to)

    return lambda settings: neighbours(settings["lag_power"], settings["power_to"]).scaled(
        often ** -settings["power_from"]
    )


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
