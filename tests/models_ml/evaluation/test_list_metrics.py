"""What lists are like, by hand."""

import numpy as np
import pytest

from models_ml.data.training_set import PlaceTable
from models_ml.evaluation.list_metrics import describe_lists


def catalogue(*categories: list[str]) -> PlaceTable:
    size = len(categories)
    nowhere = np.full(size, np.nan)
    names = [f"p{nth}" for nth in range(size)]
    return PlaceTable(names, list(categories), [""] * size, nowhere, nowhere, np.zeros(size, int))


COUNTS = np.array([4, 2, 2, 0])
PLACES = catalogue(["bar", "food"], ["food"], ["park"], [])


def test_figures_are_those_worked_out_by_hand() -> None:
    told = describe_lists(np.array([[0, 1], [0, 2]]), np.array([1, 2]), PLACES, COUNTS)
    assert told.coverage == 1.0
    # Half, a quarter, half and a quarter of the events; a place without any counts as one.
    often = np.array([4, 2, 4, 2]) / (4 + 2 + 2 + 1)
    assert told.novelty == pytest.approx(-np.log2(often).mean())
    # bar and food beside food share one of two; bar and food beside park none.
    assert told.diversity == pytest.approx((1 / 2 + 1) / 2)
    assert told.popularity == pytest.approx(3 / 2)


def test_a_list_that_ends_sooner_holds_only_what_it_shows() -> None:
    told = describe_lists(np.array([[0, -1, -1]]), np.array([0]), PLACES, COUNTS)
    assert told.coverage == pytest.approx(1 / 3)
    assert told.diversity is None
    assert told.popularity == 1.0


def test_nothing_shown_is_no_error() -> None:
    assert describe_lists(np.full((1, 3), -1), np.array([0]), PLACES, COUNTS).coverage == 0.0


def test_places_without_categories_have_no_diversity() -> None:
    bare = catalogue([], [], [], [])
    told = describe_lists(np.array([[0, 1]]), np.array([0]), bare, COUNTS)
    assert told.diversity is None
