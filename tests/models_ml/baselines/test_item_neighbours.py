"""Which places point to which: counted as a loop over all pairs would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.baselines import item_neighbours as neighbours
from models_ml.baselines.item_neighbours import Neighbours, Pairs, co_occurrences, nearest

PLACES = 4
histories = st.lists(
    st.lists(st.integers(0, PLACES - 1), min_size=1, max_size=6), min_size=1, max_size=4
)
lags = st.dictionaries(st.integers(-3, 3).filter(bool), st.floats(0.1, 2.0), min_size=1, max_size=4)


def by_hand(people: list[list[int]], lags: dict[int, float]) -> np.ndarray:
    counts = np.zeros((PLACES, PLACES))
    for places in people:
        for first, place in enumerate(places):
            for lag, weight in lags.items():
                if 0 <= first + lag < len(places):
                    counts[place, places[first + lag]] += weight
    return counts


def as_matrix(pairs: Pairs) -> np.ndarray:
    counts = np.zeros((PLACES, PLACES))
    np.add.at(counts, (pairs.froms, pairs.tos), pairs.counts)
    assert len(pairs.counts) == np.count_nonzero(counts)
    return counts


@pytest.mark.parametrize("cells_a_pair", [0, 1000], ids=["sorted", "in an array"])
@pytest.mark.parametrize("pairs_at_once", [1, 10**6], ids=["place by place", "all at once"])
@given(people=histories, lags=lags)
@settings(max_examples=30, deadline=None)
def test_pairs_are_counted_within_a_history_alone(pairs_at_once, cells_a_pair, people, lags):
    places = np.array([place for one in people for place in one])
    users = np.repeat(np.arange(len(people)), [len(one) for one in people])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "_PAIRS_AT_ONCE", pairs_at_once)
        patched.setattr(neighbours, "_CELLS_A_PAIR", cells_a_pair)
        found = co_occurrences(places, users, PLACES, lags)
    assert as_matrix(found) == pytest.approx(by_hand(people, lags), abs=1e-5)


@pytest.mark.parametrize("cells_a_pair", [0, 1000], ids=["sorted", "in an array"])
def test_the_strongest_are_kept(cells_a_pair, monkeypatch):
    monkeypatch.setattr(neighbours, "NEIGHBOURS", 2)
    monkeypatch.setattr(neighbours, "_CELLS_A_PAIR", cells_a_pair)
    pairs = Pairs(np.int32([0, 0, 0, 2]), np.int32([0, 1, 2, 1]), np.float32([4, 3, 1, 5]))
    kept = nearest(pairs, np.array([0.5, 1.0, 4.0])).scaled(np.array([1.0, 1.0, 0.5]))
    told = []
    for place in range(3):
        whose, places, weights = kept.of(np.array([place]))
        assert not whose.any()
        told.append(dict(zip(places.tolist(), weights.tolist(), strict=True)))
    # From 0: 2 to itself, 3 to 1, 4 to 2.
    assert told == [{2: 4, 1: 3}, {}, {1: 2.5}]


def test_without_events_nothing_points_anywhere():
    nothing = np.zeros(0, np.int64)
    kept = nearest(co_occurrences(nothing, nothing, 3, {1: 1.0}), np.ones(3))
    assert len(kept) == 3
    assert all(len(found) == 0 for found in kept.of(np.array([0, 1, 2])))


def test_what_several_places_point_to_is_listed_in_their_order():
    kept = Neighbours(np.array([0, 2, 2, 3]), np.int32([1, 2, 0]), np.float32([0.5, 0.25, 1.0]))
    whose, places, weights = kept.of(np.array([2, 1, 0, 2]))
    assert whose.tolist() == [0, 2, 2, 3]
    assert places.tolist() == [0, 1, 2, 0]
    assert weights.tolist() == [1.0, 0.5, 0.25, 1.0]
