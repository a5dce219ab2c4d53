"""The lift over chance, where it can be reckoned by hand."""

import numpy as np
import pytest

from orchestration.sample.planted_taste import NEIGHBOURS, _lift, _nearest, _unit

GROUP = NEIGHBOURS + 1
GROUPS = 4


@pytest.fixture
def labels() -> np.ndarray:
    return np.repeat(np.array(["a", "b", "c", "d"], dtype=object), GROUP)


def test_neighbours_all_alike_are_as_much_above_chance_as_can_be(labels: np.ndarray) -> None:
    vectors = np.repeat(np.eye(GROUPS), GROUP, axis=0)
    found = _lift(_nearest(vectors), labels)
    # Of the 43 others, 10 are of one's own group.
    assert found == pytest.approx(43 / 10)


def test_neighbours_that_share_nothing_have_no_lift(labels: np.ndarray) -> None:
    elsewhere = np.roll(np.repeat(np.eye(GROUPS), GROUP, axis=0), GROUP, axis=0)
    near = _nearest(elsewhere) + GROUP
    assert _lift(near % (GROUPS * GROUP), labels) == 0


def test_nobody_is_their_own_neighbour() -> None:
    vectors = _unit(np.random.default_rng(0).normal(size=(30, 3)))
    near = _nearest(vectors)
    assert near.shape == (30, NEIGHBOURS)
    assert not (near == np.arange(30)[:, None]).any()


def test_on_a_line_the_nearest_are_those_of_like_height() -> None:
    near = _nearest(np.arange(40.0)[:, None])
    assert set(near[20]) == set(range(15, 26)) - {20}
