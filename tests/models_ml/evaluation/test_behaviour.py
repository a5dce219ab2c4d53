"""Behavioural tests, on recommenders whose behaviour is known."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS, History
from models_ml.data.training_set import PlaceTable, read_training_set
from models_ml.evaluation.behaviour import behaviours
from models_ml.evaluation.behaviour_limits import CLAIMS
from models_ml.evaluation.ranking import categories_and_districts, history_before
from models_ml.loading import load

PLACES = 60
CATEGORIES = [["cafe"] if nth < PLACES // 2 else ["bar"] for nth in range(PLACES)]
NOWHERE = np.full(PLACES, np.nan)
TABLE = PlaceTable(
    [f"p{nth}" for nth in range(PLACES)], CATEGORIES, [""] * PLACES, NOWHERE, NOWHERE,
    np.ones(PLACES, int),
)  # fmt: skip
Score = Callable[[History, NDArray[np.float32]], NDArray[np.float32]]


class Forged:
    """Counts what was visited, and then does as it is told."""

    dimensions, excludes_seen, places = 1, False, TABLE

    def __init__(self, change: Score) -> None:
        self._change = change

    def score(self, histories: Sequence[History]) -> NDArray[np.float32]:
        return np.stack([self._change(history, _counted(history)) for history in histories])

    def embed(self, histories: Sequence[History]) -> NDArray[np.float32]:
        return np.ones((len(histories), 1), dtype=np.float32)


def _counted(history: History) -> NDArray[np.float32]:
    scores = -1e-3 * np.arange(PLACES, dtype=np.float32)
    for place in history.place_ids[-MAX_EVENTS:]:
        if place in TABLE.positions:
            scores[TABLE.positions[place]] += 0.05
            scores[: PLACES // 2] += 1e-4 * (TABLE.positions[place] < PLACES // 2)
    return scores


def sound(_: History, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return scores


def constant(_: History, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.zeros_like(scores)


def breaks_on_long(history: History, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return scores * (np.nan if len(history.place_ids) > MAX_EVENTS else 1)


def minds_the_order(history: History, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    seed = zlib.crc32(" ".join(history.place_ids).encode())
    return np.random.default_rng(seed).permutation(scores)


def shuns_what_was_liked(_: History, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return -scores


HISTORIES = [
    History(
        [f"p{nth}" for nth in np.random.default_rng(seed).integers(0, PLACES, size=30)],
        ["visit"] * 30,
        [nth * 60_000_000 for nth in range(30)],
        [-1.0] * 30,
    )
    for seed in range(20)
]


@pytest.mark.parametrize(
    ("score", "failed"),
    [
        (sound, set()),
        (constant, {"one_event", "unheard_of_places"}),
        (breaks_on_long, {"any_length"}),
        (
            minds_the_order,
            {"renamed_place", "equal_times", "added_duplicate", "dropped_tenth",
             "more_of_a_category"},
        ),
        (shuns_what_was_liked, {"more_of_a_category"}),
    ],
)  # fmt: skip
def test_each_fault_is_found(score: Score, failed: set[str]) -> None:
    found = behaviours(Forged(score), HISTORIES)
    assert [behaviour.name for behaviour in found] == list(CLAIMS)
    assert {behaviour.name for behaviour in found if not behaviour.passed} == failed


def test_a_trained_model_answers_at_any_length_and_whatever_a_place_is_called(
    town: Path, trained: Path
) -> None:
    data = read_training_set(town)
    known = categories_and_districts(data)
    people = [
        history_before(data, int(end), int(begin), known)
        for begin, end in zip(data.offsets[:-1], data.offsets[1:], strict=True)
    ]
    found = {one.name: one for one in behaviours(load(trained), people)}
    for name in ("any_length", "one_event", "unheard_of_places", "renamed_place"):
        assert found[name].value == 1.0


def test_with_nobody_to_try_it_on_only_lengths_are_tried() -> None:
    found = {one.name: one for one in behaviours(Forged(sound), [])}
    assert found["any_length"].value == 1.0
    assert found["dropped_tenth"].value is None
    assert found["dropped_tenth"].passed
