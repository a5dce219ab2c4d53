"""Exposure, on people whose neighbours are known."""

import numpy as np
import pytest

from orchestration import neighbours
from orchestration.neighbours import NEAREST, exposure


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_on_a_circle_everybody_is_shown_alike() -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    found = exposure(unit(np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    assert found is not None
    assert found.gini == pytest.approx(0.0, abs=0.02)
    assert found.reciprocity == pytest.approx(1.0, abs=0.02)
    assert found.coverage == 1.0
    assert found.most == pytest.approx(1.0, abs=0.2)


def test_hubs_are_shown_to_all() -> None:
    # Ten people in the middle, and all others on axes of their own.
    others = 300
    middle = np.tile(np.full(others, 1 / np.sqrt(others)), (NEAREST, 1))
    found = exposure(unit(np.concatenate([middle, np.eye(others)]).astype(np.float32)))
    assert found is not None
    assert found.gini > 0.9
    assert found.coverage < 0.1
    assert found.most > 20


def test_a_few_people_have_no_exposure_to_tell() -> None:
    assert exposure(np.eye(NEAREST, dtype=np.float32)) is None


def test_of_many_people_a_sample_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_PEOPLE", 50)
    vectors = unit(np.random.default_rng(0).normal(size=(500, 8)))
    found = exposure(vectors)
    assert found is not None
    assert 0 < found.coverage <= 1
