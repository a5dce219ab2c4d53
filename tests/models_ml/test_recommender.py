"""A loaded model: what it answers, for whom, and that company changes nothing."""

from pathlib import Path

import numpy as np
import pytest

from models_ml.data.tokens import History
from models_ml.loading import load
from models_ml.model_folder import ModelFolderError
from models_ml.recommender import Recommender
from models_ml.torch_model import TrainedModel

HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def model(trained: Path) -> Recommender:
    return load(trained)


def of(*places: str) -> History:
    count = len(places)
    return History(places, ["visit"] * count, [n * HOUR for n in range(count)], [-1.0] * count)


def people() -> list[History]:
    return [
        of(),
        of("a0", "a1", "a2"),
        of("b0"),
        of("nowhere", "c1"),
        of(*["a0", "b1", "c2"] * 40),
        of(*["a1", "d0"] * 250),
    ]


def test_a_loaded_model_answers_the_same_each_time(model: Recommender, trained: Path) -> None:
    assert np.array_equal(load(trained).score(people()), model.score(people()))


def test_a_batch_answers_as_one_by_one(model: Recommender) -> None:
    together = model.score(people())
    for row, person in enumerate(people()):
        alone = model.score([person])[0]
        assert np.allclose(together[row], alone, atol=1e-4)
        assert np.array_equal(np.argsort(-together[row]), np.argsort(-alone))


def test_answers_are_finite_whatever_the_length(model: Recommender) -> None:
    lengths = [*range(12), 199, 200, 201, 202, 500]
    scores = model.score([of(*[f"a{n % 3}" for n in range(length)]) for length in lengths])
    assert scores.shape == (len(lengths), len(model.places))
    assert np.isfinite(scores).all()


def test_no_question_is_no_error(model: Recommender) -> None:
    assert model.score([]).shape == (0, len(model.places))
    assert model.embed([]).shape == (0, model.dimensions)


def test_vectors_have_unit_length_and_an_empty_history_has_no_direction(
    model: Recommender,
) -> None:
    lengths = np.linalg.norm(model.embed(people()), axis=1)
    assert lengths[0] == 0
    assert np.allclose(lengths[1:], 1, atol=1e-5)


def test_a_vector_is_taste_not_length(model: Recommender) -> None:
    little, much, other = model.embed(
        [of("a0", "a1", "a2"), of(*["a0", "a1", "a2"] * 60), of("b0", "b1", "b2")]
    )
    assert little @ much > 0.99
    assert little @ other < 0.5


def test_a_places_category_reaches_the_answer_though_its_name_is_unknown(
    model: Recommender,
) -> None:
    def kiosk(category: str) -> History:
        return History(["kiosk"], ["visit"], [HOUR], [-1.0], {"kiosk": ([category], "d")})

    scores = model.score([kiosk("A"), kiosk("B")])
    assert not np.allclose(scores[0], scores[1])


def test_a_folder_without_a_finished_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"no config\.json"):
        load(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "oracle"}')
    with pytest.raises(ModelFolderError, match="oracle"):
        load(tmp_path)


def test_the_best_places_are_those_that_score_highest(trained: Path) -> None:
    model = load(trained)
    assert isinstance(model, TrainedModel)
    places, scores = model.best(people(), 4)
    whole = model.score(people())
    assert np.array_equal(scores, -np.sort(-whole, axis=1)[:, :4])
    assert np.array_equal(np.take_along_axis(whole, places, axis=1), scores)
    assert model.best(people(), 10**6)[0].shape == whole.shape
