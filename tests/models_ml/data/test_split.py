"""One training, two splits."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from models_ml.data.split import (
    VALIDATION_TARGETS,
    excludes_seen,
    known_events,
    learned_events,
    split,
)
from models_ml.data.training_set import read_training_set

World = Callable[..., Path]


def steps(*places: str) -> list[tuple[str, int]]:
    return [(place, minute) for minute, place in enumerate(places)]


def test_what_is_learned_lies_before_the_cut_and_before_the_last_two(world: World) -> None:
    data = read_training_set(world({"ann": steps(*"abcdefgh"), "bob": steps(*"abcd")}, 5))
    parts = split(data)
    known = known_events(data, parts)
    learned = learned_events(data, parts)
    # Of ann's eight the cut leaves five, of bob's four the last falls away.
    assert known.tolist() == [0, 1, 2, 3, 4, 8, 9, 10]
    assert learned.tolist() == [0, 1, 2, 3, 8, 9]
    assert parts.validation_targets.tolist() == [4, 10]


def test_without_a_cut_each_history_but_its_last_two_is_learned(world: World) -> None:
    histories = {f"user{nth:04d}": steps(*"abcdefgh") for nth in range(VALIDATION_TARGETS // 2 + 1)}
    data = read_training_set(world(histories, 100))
    parts = split(data)
    assert (data.offsets[1:] - parts.learn_ends == 2).all()
    assert (parts.validation_targets == data.offsets[1:] - 2).all()
    assert (parts.loo_targets == data.offsets[1:] - 1).all()


def test_targets_are_all_events_from_the_cut_on_and_each_users_last(world: World) -> None:
    data = read_training_set(world({"ann": steps(*"abcdefgh"), "bob": steps(*"ab")}, 5))
    parts = split(data)
    assert parts.time_targets.tolist() == [5, 6, 7]
    # bob has too little for a history, a validation and a test target.
    assert parts.loo_targets.tolist() == [7]


def test_people_with_one_or_two_events_teach_what_lies_before_the_cut(world: World) -> None:
    """No split asks for it, so it is held back from nobody."""
    choices = {"ann": steps("a"), "bob": steps("a", "b"), "cem": [("a", 1), ("b", 9)]}
    data = read_training_set(world(choices, 5))
    parts = split(data)
    assert learned_events(data, parts).tolist() == [0, 1, 2, 3]
    assert known_events(data, parts).tolist() == [0, 1, 2, 3]
    assert parts.time_targets.tolist() == [4]
    assert len(parts.loo_targets) == len(parts.validation_targets) == 0


def test_seen_places_are_left_out_only_where_nobody_returns(world: World) -> None:
    once = read_training_set(world({"ann": steps(*"abcdefghijkl")}, 100))
    assert excludes_seen(once, split(once))
    often = read_training_set(world({"ann": steps(*"abababababab")}, 100))
    assert not excludes_seen(often, split(often))


def test_a_place_that_the_catalogue_lacks_is_still_a_place(world: World) -> None:
    folder = world({"ann": steps(*"abc")}, 100)
    catalogue = pq.read_table(folder / "places.parquet")
    pq.write_table(catalogue.slice(1), folder / "places.parquet")
    data = read_training_set(folder)
    assert [data.catalogue.place_ids[row] for row in data.places] == ["a", "b", "c"]
