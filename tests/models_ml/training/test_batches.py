"""Windows and batches."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.data.split import learned_events, split
from models_ml.data.tokens import Vocabulary
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.training.batches import WINDOW, Windows, batches_of, lesson_batch, windows_of

World = Callable[..., Path]


def long_world(world: World, lengths: list[int]) -> TrainingSet:
    choices = {
        f"u{number}": [(f"p{step % 7}", step) for step in range(length)]
        for number, length in enumerate(lengths)
    }
    return read_training_set(world(choices, 10**6))


def test_every_learned_event_is_a_lesson_exactly_once(world: World) -> None:
    data = long_world(world, [1, 2, 5, 203, 204, 205, 210, 400, 1003])
    parts = split(data)
    for seed in range(20):
        windows = windows_of(data, parts, np.random.default_rng(seed))
        taught = np.concatenate(
            [np.arange(a, b) for a, b in zip(windows.firsts, windows.stops, strict=True)]
        )
        assert np.array_equal(np.sort(taught), learned_events(data, parts))
        assert (windows.stops - windows.starts <= WINDOW).all()
        assert (windows.starts <= windows.firsts).all()


def test_a_window_never_reaches_into_another_person(world: World) -> None:
    data = long_world(world, [300, 3, 500])
    windows = windows_of(data, split(data), np.random.default_rng(0))
    assert np.array_equal(data.event_users[windows.starts], data.event_users[windows.stops - 1])


def test_a_target_is_the_event_after_what_is_read(world: World) -> None:
    data = long_world(world, [12])
    parts = split(data)
    vocabulary = Vocabulary.build(data, learned_events(data, parts))
    events = vocabulary.encode_training_set(data)
    windows = windows_of(data, parts, np.random.default_rng(0))
    batch, targets = lesson_batch(events, windows, has_times=True)
    assert np.array_equal(batch.places[0, 1:], targets[0, :-1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, WINDOW), min_size=1, max_size=60), st.integers(1, 2000))
def test_batches_hold_every_window_once_and_stay_in_their_budget(
    lengths: list[int], budget: int
) -> None:
    stops = np.cumsum(lengths)
    windows = Windows(stops - lengths, stops - lengths, stops)
    batches = batches_of(windows, budget, np.random.default_rng(0))
    held = np.sort(np.concatenate([batch.stops for batch in batches]))
    assert np.array_equal(held, stops)
    for batch in batches:
        longest = int((batch.stops - batch.starts).max())
        assert len(batch.stops) == 1 or longest * len(batch.stops) <= budget
