"""Exposure, on people whose neighbours are known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from orchestration.release import hubness
from orchestration.release.hubness import exposure, steadiness
from serving.hubness import NEAREST, usual_likeness
from serving.index import Index


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shown(vectors: np.ndarray) -> hubness.Exposure | None:
    return exposure(vectors, np.zeros(len(vectors), dtype=np.float32))


def test_on_a_circle_everybody_is_shown_alike() -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    found = shown(unit(np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    assert found is not None
    assert found.gini == pytest.approx(0.0, abs=0.02)
    assert found.reciprocity == pytest.approx(1.0, abs=0.02)
    assert found.coverage == 1.0
    assert found.most == pytest.approx(1.0, abs=0.2)


def test_hubs_are_shown_to_all() -> None:
    # Ten people in the middle, and all others on axes of their own.
    others = 300
    middle = np.tile(np.full(others, 1 / np.sqrt(others)), (NEAREST, 1))
    found = shown(unit(np.concatenate([middle, np.eye(others)]).astype(np.float32)))
    assert found is not None
    assert found.gini > 0.9
    assert found.coverage < 0.1
    assert found.most > 20


def test_a_few_people_have_no_exposure_to_tell() -> None:
    assert shown(np.eye(NEAREST, dtype=np.float32)) is None


def test_of_many_people_a_sample_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubness, "MOST_PEOPLE", 50)
    vectors = unit(np.random.default_rng(0).normal(size=(500, 8)))
    found = shown(vectors)
    assert found is not None
    assert 0 < found.coverage <= 1


def test_taking_off_what_is_usual_shows_people_more_evenly() -> None:
    # Gaussian clouds of many dimensions have hubs at their middle.
    vectors = unit(np.random.default_rng(0).normal(0.3, 1, size=(600, 20)))
    before, after = shown(vectors), exposure(vectors, usual_likeness(vectors))
    assert before is not None
    assert after is not None
    assert after.gini < 0.8 * before.gini
    assert after.reciprocity > before.reciprocity
    assert after.coverage >= before.coverage


def index_of(users: list[str], vectors: np.ndarray) -> Index:
    usual = usual_likeness(vectors)
    return Index("i", "r", "2026-01-01", Path(), pa.array(users), vectors, usual)


def test_the_nearest_stay_where_nothing_changes_but_who_else_is_there() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(60, 4)))
    users = [f"{n:02d}" for n in range(60)]
    before, after = index_of(users[:50], vectors[:50]), index_of(users[10:], vectors[10:])
    kept = steadiness(before, after)
    assert kept is not None
    assert kept > 0.85
    assert steadiness(before, before) == 1


def test_of_strangers_nearly_none_stay_and_of_a_few_people_none_are_told() -> None:
    random = np.random.default_rng(0)
    users = [f"{n:03d}" for n in range(300)]
    one, other = (index_of(users, unit(random.normal(size=(300, 4)))) for _ in range(2))
    kept = steadiness(one, other)
    assert kept == pytest.approx(10 / 299, abs=0.02)
    assert steadiness(index_of(users[:5], one.vectors[:5]), one) is None
