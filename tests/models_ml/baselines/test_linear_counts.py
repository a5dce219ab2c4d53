"""Linear counts: counting as strong as counting gets, fitted before the cut, saved and loaded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_ml.baselines.base import Baseline
from models_ml.baselines.fit import fit_baselines
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.linear_counts_fit import tune_linear_counts
from models_ml.baselines.tuning import Fit
from models_ml.data.split import split
from models_ml.data.tokens import History
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.evaluation.ranking import ask
from models_ml.loading import load
from models_ml.metrics import gains
from models_ml.model_folder import ModelFolderError
from tests.models_ml.conftest import Choices, write_training_set

CO_OCCURRENCE = {"own": 0.5, "follow_power": 1.0, "power_from": 0.8, "power_to": 0.3,
                 "lag_power": 1.0}  # fmt: skip


@pytest.fixture(scope="module")
def data(town: Path) -> TrainingSet:
    return read_training_set(town)


@pytest.fixture(scope="module")
def baselines(data: TrainingSet) -> dict[str, Baseline]:
    return {made.name: made for made in fit_baselines(data)}


def test_no_other_counting_is_surely_better(
    data: TrainingSet, baselines: dict[str, Baseline]
) -> None:
    targets = split(data).time_targets
    told = {who: gains(ask(one, data, targets).ranks).mean() for who, one in baselines.items()}
    assert told["linear_counts"] > max(told["popularity"], told["own_visits"], told["item_knn"])
    assert told["linear_counts"] > told["co_occurrence"] - 0.02


def test_people_without_a_history_see_what_others_begin_with(tmp_path: Path) -> None:
    """All begin at the gate, which nobody visits again; the square is what is popular."""
    choices: Choices = {
        f"u{number:02d}": [
            ("gate", 1),
            *(("square", minute) for minute in range(2, 9)),
            ("hill", 90),
        ]
        for number in range(20)
    }
    data = read_training_set(write_training_set(tmp_path, choices, 80))
    (baseline,) = [made for made in fit_baselines(data) if isinstance(made, LinearBaseline)]
    scores = baseline.score([History([], [], [])])[0]
    assert baseline.places.place_ids[int(scores.argmax())] == "gate"


def test_what_lies_after_the_cut_is_not_looked_at(data: TrainingSet) -> None:
    """Other places after the cut leave weights and counts as they were."""
    fit = Fit(data)
    after = np.setdiff1d(np.arange(len(data.places)), fit.known)
    places = data.places.copy()
    places[after] = np.random.default_rng(0).permutation(places[after])
    other = Fit(replace(data, places=places))
    assert tune_linear_counts(fit, CO_OCCURRENCE) == tune_linear_counts(other, CO_OCCURRENCE)


def test_where_times_are_made_up_nothing_is_said_by_them(town: Path) -> None:
    fit = Fit(replace(read_training_set(town), is_time_synthetic=True))
    found = tune_linear_counts(fit, CO_OCCURRENCE)[0]
    assert [found[name] for name in ("own_after_hour", "popular_90", "popular_30")] == [0, 0, 0]


def test_where_nothing_can_be_foretold_all_weigh_the_same(tmp_path: Path) -> None:
    choices: Choices = {"ann": [("p", 1), ("q", 90)], "bob": [("q", 2), ("p", 91)]}
    fit = Fit(read_training_set(write_training_set(tmp_path, choices, 80)))
    (found,) = tune_linear_counts(fit, CO_OCCURRENCE)
    assert all(np.isfinite(value) for value in found.values())


def test_a_saved_one_answers_alike(baselines: dict[str, Baseline], tmp_path: Path) -> None:
    kept = baselines["linear_counts"]
    kept.save(tmp_path, "0" * 64)
    again = load(tmp_path)
    asked = [History(["a0", "b1", "new"], ["visit"] * 3, [0, 1, 2]), History([], [], [])]
    assert np.array_equal(again.score(asked), kept.score(asked))
    assert np.array_equal(again.embed(asked), kept.embed(asked))


def test_one_of_another_version_says_so(baselines: dict[str, Baseline], tmp_path: Path) -> None:
    baselines["linear_counts"].save(tmp_path, "0" * 64)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"near_last"', '"next_door"'))
    with pytest.raises(ModelFolderError, match=r"other shares.*tastemate run"):
        load(tmp_path)


def test_many_windows_at_once_are_those_of_one_after_the_other(
    data: TrainingSet, baselines: dict[str, Baseline], monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = baselines["linear_counts"]
    assert isinstance(linear, LinearBaseline)
    events = linear.encode_training_set(data)
    starts, stops = np.array([0, 3, 3, 7]), np.array([5, 3, 9, 8])
    at_once = linear.counts.shares(events, starts, stops)
    monkeypatch.setattr("models_ml.baselines.linear_counts._CELLS_AT_ONCE", 1)
    assert linear.counts.shares(events, starts, stops) == pytest.approx(at_once, abs=1e-7)
