"""The baselines on a world small enough to count by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models_ml.baseline import Baseline
from models_ml.baselines import fit_baselines
from models_ml.recommender import load
from models_ml.tokens import History
from models_ml.training_set import read_training_set

World = Callable[..., Path]
TAIL = [("x", 90), ("x", 91)]
FOUR = {
    # The last two of each lie after the cut, so what is counted is what stands before.
    "ann": [("a", 1), ("b", 2), ("a", 3), ("b", 4), *TAIL],
    "bob": [("a", 1), ("b", 2), ("c", 3), *TAIL],
    "cem": [("c", 1), ("c", 2), ("d", 3), *TAIL],
    "dot": [("b", 1), ("d", 2), *TAIL],
}


@pytest.fixture
def baselines(world: World) -> dict[str, Baseline]:
    return {made.name: made for made in fit_baselines(read_training_set(world(FOUR, 80)))}


def ranking(baseline: Baseline, *places: str) -> list[str]:
    history = History(places, ["visit"] * len(places), list(range(len(places))))
    scores = baseline.score([history])[0]
    return [baseline.places.place_ids[column] for column in np.argsort(-scores, kind="stable")]


def test_popularity_counts_the_training_part_alone(baselines: dict[str, Baseline]) -> None:
    places = baselines["popularity"].places
    counts = dict(zip(places.place_ids, places.event_counts.tolist(), strict=True))
    assert counts == {"a": 3, "b": 4, "c": 3, "d": 2}
    assert ranking(baselines["popularity"])[0] == "b"


def test_own_visits_rank_by_how_often_then_how_lately(baselines: dict[str, Baseline]) -> None:
    assert ranking(baselines["own_visits"], "d", "d", "d", "c", "a")[:3] == ["d", "a", "c"]


def test_a_place_never_visited_ranks_by_popularity(baselines: dict[str, Baseline]) -> None:
    assert ranking(baselines["own_visits"], "d") == ["d", "b", "a", "c"]


def test_co_occurrence_is_directed(baselines: dict[str, Baseline]) -> None:
    # After a came b each time; before a never anything but b.
    scores = baselines["co_occurrence"].score([History(["a"], ["visit"], [0])])[0]
    columns = baselines["co_occurrence"].places.positions
    assert scores[columns["b"]] > scores[columns["d"]]


def test_item_knn_is_the_cosine_of_who_chose_both(baselines: dict[str, Baseline]) -> None:
    # a: ann, bob; b: ann, bob, dot; c: bob, cem; d: cem, dot.
    scores = baselines["item_knn"].score([History(["a"], ["visit"], [0])])[0]
    columns = baselines["item_knn"].places.positions
    assert scores[columns["b"]] == pytest.approx(2 / np.sqrt(2 * 3), abs=1e-4)
    assert scores[columns["c"]] == pytest.approx(1 / np.sqrt(2 * 2), abs=1e-4)
    assert scores[columns["d"]] == pytest.approx(0, abs=1e-4)


def test_ease_is_the_ridge_regression_of_each_place_on_all_others(
    baselines: dict[str, Baseline],
) -> None:
    # ann, bob, cem and dot over a, b, c, d.
    choices = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1]], dtype=float)
    penalty = baselines["ease"].architecture["penalty"]
    scores = baselines["ease"].score([History(["a"], ["visit"], [0])])[0]
    columns = baselines["ease"].places.positions
    for place in "bcd":
        column = "abcd".index(place)
        others = np.delete(choices, column, axis=1)
        ridge = np.linalg.solve(
            others.T @ others + penalty * np.eye(3), others.T @ choices[:, column]
        )
        assert scores[columns[place]] == pytest.approx(ridge[0], abs=1e-5)


def test_every_baseline_answers_someone_without_history(baselines: dict[str, Baseline]) -> None:
    for baseline in baselines.values():
        assert ranking(baseline)[0] == "b"


def test_a_saved_baseline_ranks_and_embeds_as_before(
    baselines: dict[str, Baseline], tmp_path: Path
) -> None:
    history = [History(["a", "c", "unheard of"], ["visit"] * 3, [1, 2, 3])]
    for name, baseline in baselines.items():
        baseline.save(tmp_path / name, "hash")
        again = load(tmp_path / name)
        assert np.array_equal(again.score(history), baseline.score(history))
        assert np.array_equal(again.embed(history), baseline.embed(history))
