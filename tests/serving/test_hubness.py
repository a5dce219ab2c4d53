"""How near people usually are: whose nearest count, and whose do not."""

import numpy as np
import pytest

from serving import hubness
from serving.hubness import NEAREST, usual_likeness


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def people() -> np.ndarray:
    return unit(np.random.default_rng(0).normal(size=(300, 6)))


def test_it_is_the_mean_of_the_ten_nearest_others(people: np.ndarray) -> None:
    likeness = people @ people.T
    np.fill_diagonal(likeness, -np.inf)
    expected = np.sort(likeness, axis=1)[:, -NEAREST:].mean(axis=1)
    assert np.allclose(usual_likeness(people), expected, atol=1e-5)


def test_of_many_people_some_stand_for_all(
    people: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubness, "MOST_REFERENCES", 100)
    likeness = people @ people[::3].T
    likeness[np.arange(0, 300, 3), np.arange(100)] = -np.inf
    expected = np.sort(likeness, axis=1)[:, -NEAREST:].mean(axis=1)
    assert np.allclose(usual_likeness(people), expected, atol=1e-5)


def test_who_has_no_vector_is_near_to_nobody(people: np.ndarray) -> None:
    people[7] = 0
    usual = usual_likeness(people)
    assert usual[7] == 1
    assert hubness.nearness(people @ people[0], usual)[7] == -0.5


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_few_people_are_no_error(people: np.ndarray, count: int) -> None:
    usual = usual_likeness(people[:count])
    assert usual.shape == (count,)
    assert np.isfinite(usual).all()
