"""Weights of shares: the likeliest, and those that rank best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.baselines.share_weights import Candidates, climb, likeliest

EVEN = np.full(2, 0.5)


def test_the_likeliest_weights_are_those_that_the_targets_were_drawn_with() -> None:
    # Two shares of two places: whoever is drawn from the first says .9 and .1, and so on.
    first, second = np.array([0.9, 0.1]), np.array([0.2, 0.8])
    mixed = 0.7 * first + 0.3 * second
    drawn = np.random.default_rng(0).choice(2, 20_000, p=mixed)
    found = likeliest(np.stack([first[drawn], second[drawn]]))
    assert found == pytest.approx([0.7, 0.3], abs=0.02)


def test_a_prior_draws_towards_equal_weights() -> None:
    told = np.array([[1.0] * 10, [0.0] * 10])
    assert likeliest(told) == pytest.approx([1, 0])
    assert likeliest(told, prior=10.0) == pytest.approx([0.75, 0.25], abs=0.01)


@pytest.mark.parametrize("told", [np.zeros((3, 0)), np.zeros((3, 4))])
def test_where_nothing_is_foretold_weights_stay_finite(told: np.ndarray) -> None:
    assert np.all(np.isfinite(likeliest(told)))


def candidates(shares: list[list[list[float]]], wanted: list[int]) -> Candidates:
    count = len(wanted)
    return Candidates(
        np.array(shares, np.float32), np.array(wanted), np.full(count, 1 / max(1, count))
    )


def test_an_axis_goes_on_while_its_last_value_wins() -> None:
    # What came is ahead only if the second share weighs thirty times the first.
    asked = candidates([[[0.9, 0.0]], [[0.0, 0.03]]], [1])
    ((weights, quality),) = climb(asked, [EVEN])
    assert quality == pytest.approx(1)
    assert weights[1] > 30 * weights[0]
    assert weights.sum() == pytest.approx(1)


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 30))
@settings(deadline=None)
def test_no_start_was_better(seed: int, kinds: int, targets: int) -> None:
    generator = np.random.default_rng(seed)
    shares = generator.random((kinds, targets, 12)).astype(np.float32)
    asked = Candidates(shares, generator.integers(0, 12, targets), np.full(targets, 1 / targets))
    starts = [generator.random(kinds) for _ in range(2)]
    (weights, quality), (_, other) = climb(asked, starts)
    assert quality >= other
    for start in starts:
        assert quality >= asked.quality(np.tensordot(start.astype(np.float32), shares, axes=1))
    assert np.all(weights >= 0)


def test_a_share_that_brings_next_to_nothing_is_left_out() -> None:
    """Each one that is left costs every answer."""
    generator = np.random.default_rng(0)
    telling = generator.random((1, 400, 12)).astype(np.float32)
    wanted = telling[0].argmax(axis=1)
    noise = 1e-4 * generator.random((3, 400, 12)).astype(np.float32)
    asked = Candidates(np.concatenate([telling, noise]), wanted, np.full(400, 1 / 400))
    ((weights, quality),) = climb(asked, [np.full(4, 0.25)])
    assert quality == pytest.approx(1)
    assert weights.tolist() == [1, 0, 0, 0]
