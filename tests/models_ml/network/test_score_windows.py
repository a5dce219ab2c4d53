"""Windows that begin together are read once, and answered as if each was asked by itself."""

from pathlib import Path

import numpy as np
import pytest

from models_ml.data.event_windows import EventWindows
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.evaluation.ranking import ask, ask_with_counts_and_alone, categories_and_districts
from models_ml.evaluation.ranking import history_before as before
from models_ml.loading import load
from models_ml.network import score_windows
from models_ml.recommender import ScoresWindows
from models_ml.torch_model import TrainedModel


@pytest.fixture(scope="module")
def model(trained: Path) -> TrainedModel:
    loaded = load(trained)
    assert isinstance(loaded, TrainedModel)
    return loaded


@pytest.fixture(scope="module")
def data(town: Path) -> TrainingSet:
    return read_training_set(town)


@pytest.mark.parametrize("events_at_once", [1, 200, 8192])
def test_all_windows_of_a_person_are_answered_as_requests_are(
    model: TrainedModel, data: TrainingSet, events_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_windows, "_EVENTS_AT_ONCE", events_at_once)
    # Of each of the first people every event, the first one too, and some once more.
    stops = np.concatenate([np.arange(data.offsets[5]), [data.offsets[3], 0]])
    begins = data.offsets[data.event_users[stops]]
    known = categories_and_districts(data)
    asked = [
        before(data, int(stop), int(begin), known)
        for stop, begin in zip(stops, begins, strict=True)
    ]
    windows = EventWindows(model.encode_training_set(data), begins, stops)
    assert model.score_events(windows) == pytest.approx(model.score(asked), abs=1e-4)
    assert model.network_scores(windows) == pytest.approx(model.alone().score(asked), abs=1e-4)


def test_a_network_is_judged_with_and_without_counts_as_if_asked_twice(
    model: TrainedModel, data: TrainingSet
) -> None:
    targets = np.arange(10, 200, 3)
    both = ask_with_counts_and_alone(model, data, targets)
    for told, asked in zip(both, (model, model.alone()), strict=True):
        alone = ask(asked, data, targets)
        assert np.array_equal(told.ranks, alone.ranks)
        assert np.array_equal(told.tops, alone.tops)


def test_what_scores_texts_alone_is_asked_in_texts(model: TrainedModel, data: TrainingSet) -> None:
    class ByText:
        places, excludes_seen, dimensions = model.places, model.excludes_seen, model.dimensions
        score, embed = model.score, model.embed

    assert not isinstance(ByText(), ScoresWindows)
    targets = np.arange(10, 200, 7)
    told, wanted = ask(ByText(), data, targets), ask(model, data, targets)
    assert (told.ranks == wanted.ranks).mean() > 0.95  # but for rounding
    assert told.confidences == pytest.approx(wanted.confidences, abs=1e-4)
