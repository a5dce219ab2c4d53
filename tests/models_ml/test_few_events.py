"""People with one or two events teach and count; where nothing can be asked, popularity is best."""

from pathlib import Path

import pytest

from models_ml.baselines.fit import fit_baselines
from models_ml.data.tokens import History
from models_ml.data.training_set import read_training_set
from models_ml.evaluate import evaluate
from models_ml.train import train
from tests.cases.daily_life.few_events_each import (
    one_visit_each,
    training_set_of,
    two_visits_each,
)
from tests.models_ml.conftest import Choices, write_training_set

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def test_where_most_came_once_their_place_is_what_newcomers_see(tmp_path: Path) -> None:
    data = read_training_set(training_set_of(one_visit_each(), tmp_path))
    for baseline in fit_baselines(data):
        scores = baseline.score([History([], [], [])])[0]
        assert baseline.places.place_ids[int(scores.argmax())] == "square", baseline.name


def test_two_events_each_are_learned_and_asked_by_time(tmp_path: Path) -> None:
    folder = training_set_of(two_visits_each(), tmp_path / "set")
    train(folder, tmp_path / "model", "tiny")
    judged = evaluate(folder, tmp_path / "model", tmp_path / "evaluation.json")
    assert judged.terms.split == "time"
    assert judged.time["model"].n == 60
    assert judged.loo["model"].n == 0


def test_one_moment_of_one_or_two_events_each_is_popularity(tmp_path: Path) -> None:
    """A first file of one day: nothing lies before the cut, and nobody has three events."""
    choices: Choices = {
        f"u{nth}": [(f"p{nth % 7}", 5), (f"p{nth % 3}", 5)][: 1 + nth % 2] for nth in range(90)
    }
    folder = write_training_set(tmp_path / "set", choices, 5)
    train(folder, tmp_path / "model", "tiny")
    judged = evaluate(folder, tmp_path / "model", tmp_path / "evaluation.json")
    (why,) = judged.refusals
    assert "nobody has three events or more, and none lies after the cut" in why
    assert judged.best_baseline == "popularity"


def test_one_moment_of_more_events_is_asked_for_each_users_last(tmp_path: Path) -> None:
    choices: Choices = {
        f"u{nth}": [(f"p{(nth + one) % 7}", 5) for one in range(4)] for nth in range(60)
    }
    folder = write_training_set(tmp_path / "set", choices, 5)
    train(folder, tmp_path / "model", "tiny")
    judged = evaluate(folder, tmp_path / "model", tmp_path / "evaluation.json")
    assert judged.terms.split == "loo"
    assert judged.loo["model"].n == 60
