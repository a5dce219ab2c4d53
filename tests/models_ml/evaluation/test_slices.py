"""Groups of targets, on a world small enough to sort by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models_ml.data.training_set import read_training_set
from models_ml.evaluation.slices import slices_of

World = Callable[..., Path]
ANN = [("a", 1), ("b", 2), ("a", 3), ("c", 4)]


def test_each_target_is_in_one_group_of_each_way(world: World) -> None:
    data = read_training_set(world({"ann": ANN}, 100, categories={"a": ["cafe"], "b": ["bar"]}))
    counts = np.array([5, 3, 0])
    slices = slices_of(data, np.arange(4), counts)
    told = {
        way: {name: np.flatnonzero(mask).tolist() for name, mask in groups.items()}
        for way, groups in slices.items()
    }
    assert told == {
        "history": {"0": [0], "1 to 9": [1, 2, 3]},
        # a holds five of eight events, b begins after them, c was never seen.
        "popularity": {"head": [0, 2], "middle": [1], "cold": [3]},
        "visit": {"new to the person": [0, 1, 3], "return": [2]},
        # c has no category.
        "category": {"bar": [1], "cafe": [0, 2]},
        "district": {"a": [0, 2], "b": [1], "c": [3]},
    }


def test_only_the_largest_categories_are_told(world: World) -> None:
    names = "abcdefgh"
    events = [(name, minute) for minute, name in enumerate(names + names[:5])]
    data = read_training_set(world({"ann": events}, 100, categories={n: [n] for n in names}))
    slices = slices_of(data, np.arange(len(events)), np.ones(8, int))
    assert list(slices["category"]) == list("abcde")


def test_no_target_is_no_group(world: World) -> None:
    data = read_training_set(world({"ann": ANN}, 100))
    slices = slices_of(data, np.zeros(0, np.int64), np.zeros(3, int))
    assert not any(slices.values())
