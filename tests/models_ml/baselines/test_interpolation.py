"""Counts beside a network: how both are added up, when they are, and from which events."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models_ml.baselines.co_occurrence import count_co_occurrence
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.fit import counts_tuned_for
from models_ml.baselines.interpolation import Mixture
from models_ml.baselines.interpolation_fit import fit_mixture
from models_ml.baselines.item_neighbours import Neighbours
from models_ml.baselines.linear_counts_fit import LinearFit, count_linear
from models_ml.baselines.tuning import Fit
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import SPECIAL_TOKENS, History, Vocabulary
from models_ml.data.training_set import read_training_set
from models_ml.loading import load
from models_ml.model_folder import ModelFolder
from models_ml.presets import PRESETS
from models_ml.recommender import NetworkModel
from models_ml.train import train


@pytest.fixture(scope="module")
def fit(town: Path) -> Fit:
    return Fit(read_training_set(town))


@pytest.fixture(scope="module")
def counted(fit: Fit) -> LinearFit:
    return count_linear(fit, counts_tuned_for(fit, None))


@pytest.fixture(scope="module")
def model(trained: Path) -> NetworkModel:
    loaded = load(trained)
    assert isinstance(loaded, NetworkModel)
    return loaded


def person() -> History:
    return History(["a0", "b1", "a2"], ["visit"] * 3, [0, 3_600_000_000, 7_200_000_000], [-1.0] * 3)


def test_logarithms_are_added_by_weight(fit: Fit) -> None:
    size = len(fit.vocabulary)
    visits = Counts(Counting("own_visits", own=1.0, own_age=1e9), Neighbours.none(size))
    window = np.array([0]), np.array([3])
    scores = np.linspace(-1, 1, size, dtype=np.float32)[None]
    found = Mixture(0.25, visits).mixed(scores, fit.events, *window)
    counted = np.bincount(fit.events.places[:3] - SPECIAL_TOKENS, minlength=size) / 3
    assert found[0] == pytest.approx(0.75 * scores[0] + 0.25 * np.log(counted + 1 / size))


def test_a_mixture_is_told_by_its_settings_and_tensors(fit: Fit, counted: LinearFit) -> None:
    # What releases of before have beside their networks, too.
    earlier = count_co_occurrence(fit, counts_tuned_for(fit, None))
    starts, stops = np.array([0, 2, 5]), np.array([4, 2, 9])
    for counts in (counted.known, earlier):
        kept = Mixture(0.4, counts)
        told = json.loads(json.dumps(kept.settings))
        again = Mixture.restore(fit.vocabulary, told, kept.tensors)
        assert again.weight == pytest.approx(0.4)
        wanted = kept.counts.shares(fit.events, starts, stops)
        assert np.array_equal(again.counts.shares(fit.events, starts, stops), wanted)


def test_a_model_answers_with_its_counts_and_alone_without_them(
    model: NetworkModel, trained: Path
) -> None:
    assert model.mixture
    alone = model.alone()
    vocabulary = Vocabulary.read(ModelFolder(trained))
    events, offsets = vocabulary.encode([person()])
    wanted = model.mixture.mixed(alone.score([person()]), events, offsets[:-1], offsets[1:])
    assert np.array_equal(model.score([person()]), wanted)
    assert alone.mixture is None
    assert not np.array_equal(alone.score([person()]), wanted)
    assert np.array_equal(alone.embed([person()]), model.embed([person()]))


def test_what_is_kept_is_counted_with_the_validating_events_and_chosen_without(
    counted: LinearFit, model: NetworkModel
) -> None:
    assert model.mixture
    kept = model.mixture.tensors
    assert all(np.array_equal(kept[name], value) for name, value in counted.known.tensors.items())
    learned = counted.learned.tables.popularity
    assert not np.array_equal(kept["shares.popularity"], learned)


def test_a_network_that_knows_the_answer_is_left_alone(fit: Fit, counted: LinearFit) -> None:
    def oracle(windows: EventWindows) -> NDArray[np.float32]:
        scores = np.zeros((len(windows), len(fit.vocabulary)), dtype=np.float32)
        answers = fit.events.places[windows.stops] - SPECIAL_TOKENS
        scores[np.arange(len(windows)), answers] = 100
        return scores

    assert fit_mixture(fit, counted, oracle) is None


def test_a_network_that_knows_nothing_gets_counts(fit: Fit, counted: LinearFit) -> None:
    def clueless(windows: EventWindows) -> NDArray[np.float32]:
        return np.zeros((len(windows), len(fit.vocabulary)), dtype=np.float32)

    found = fit_mixture(fit, counted, clueless)
    assert found
    assert found.weight > 0


def test_a_preset_without_counts_gives_a_network_alone(town: Path, tmp_path: Path) -> None:
    train(town, tmp_path / "out", replace(PRESETS["tiny"], epochs=1, counts=False))
    assert json.loads((tmp_path / "out" / "config.json").read_text())["counts"] is None
    loaded = load(tmp_path / "out")
    assert isinstance(loaded, NetworkModel)
    assert np.array_equal(loaded.score([person()]), loaded.alone().score([person()]))
