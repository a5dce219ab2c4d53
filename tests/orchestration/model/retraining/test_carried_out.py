"""A verdict carried out, with real trainings of seconds."""

from pathlib import Path

import pytest

from models_ml.model_folder import ModelFolder
from models_ml.train import train
from orchestration.model.assets import _carried_out
from orchestration.model.retraining.judge import Wish
from orchestration.model.retraining.verdict import Verdict
from orchestration.model.store import current_training_set, model_folder, record_of, remember_model
from serving.home import Home
from tests.models_ml.conftest import Choices, town_choices
from tests.orchestration.model.retraining.test_judge import land

CUT = 1300
WARM = Verdict(retrain=True, from_scratch=False, reasons=["many new events"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a model of the town as it was early."""
    home = Home(tmp_path / "home")
    land(home, until(CUT), CUT)
    data = current_training_set(home)
    model = model_folder(home, data, "tiny", 0)
    train(data.folder, model.path, "tiny")
    remember_model(home, model)
    return home


def until(minute: int) -> Choices:
    return {
        user: [event for event in events if event[1] < minute]
        for user, events in town_choices().items()
    }


def began_with(model: ModelFolder) -> str | None:
    return record_of(model).warm_start


def test_a_verdict_to_go_on_goes_on(home: Home) -> None:
    land(home, town_choices(), 2200)
    model, done = _carried_out(home, Wish(), WARM)
    assert began_with(model)
    assert done == WARM


def test_where_something_held_out_was_learned_it_trains_from_scratch_and_says_so(
    home: Home,
) -> None:
    land(home, {user: events[:8] for user, events in until(CUT).items()}, 2200)
    model, done = _carried_out(home, Wish(), WARM)
    assert began_with(model) is None
    assert done.from_scratch
    assert done.reasons[0] == "many new events"
    assert "were learned" in done.reasons[1]
