"""Evaluation: full ranking, honest about ties, unknown places and what was seen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS, History
from models_ml.data.training_set import PlaceTable, read_training_set
from models_ml.evaluate import evaluate
from models_ml.evaluation.comparison import compare
from models_ml.evaluation.ranking import ask
from models_ml.evaluation.report import Evaluation
from models_ml.loading import load
from models_ml.typed_json import read_json

World = Callable[..., Path]


class Undecided:
    """Gives every place the same score, and remembers what it was asked."""

    dimensions = 1

    def __init__(self, places: PlaceTable, *, excludes_seen: bool) -> None:
        self.places, self.excludes_seen = places, excludes_seen
        self.asked: list[History] = []

    def score(self, histories: Sequence[History]) -> NDArray[np.float32]:
        self.asked += histories
        return np.zeros((len(histories), len(self.places)), dtype=np.float32)

    def embed(self, histories: Sequence[History]) -> NDArray[np.float32]:
        return np.ones((len(histories), 1), dtype=np.float32)


ANN = {"ann": [("a", 1), ("b", 2), ("a", 3), ("c", 4)]}


def test_whoever_cannot_decide_ranks_last(world: World) -> None:
    data = read_training_set(world(ANN, 100))
    answers = ask(Undecided(data.catalogue, excludes_seen=False), data, np.array([3]))
    assert answers.ranks.tolist() == [3]


def test_seen_places_leave_the_ranking_where_nobody_returns(world: World) -> None:
    data = read_training_set(world(ANN, 100))
    undecided = Undecided(data.catalogue, excludes_seen=True)
    # At c, a and b have been seen; at the second a, so has the answer itself.
    assert ask(undecided, data, np.array([3])).ranks.tolist() == [1]
    assert ask(undecided, data, np.array([2])).ranks.tolist() == [4]


class Alphabetical(Undecided):
    """Likes places the better the sooner they stand in the alphabet."""

    def score(self, histories: Sequence[History]) -> NDArray[np.float32]:
        return np.tile(-np.arange(len(self.places), dtype=np.float32), (len(histories), 1))


def test_the_first_places_are_told_by_their_row_in_the_catalogue(world: World) -> None:
    data = read_training_set(world(ANN, 100))
    turned = data.catalogue.take(np.array([2, 1, 0]), np.zeros(3, np.int64))
    told = ask(Alphabetical(turned, excludes_seen=False), data, np.array([3]))
    assert told.tops[0].tolist() == [2, 1, 0] + [-1] * 7
    assert told.confidences[0] == pytest.approx(1 / (1 + np.exp(-1) + np.exp(-2)))
    # a and b have been seen, and are not shown.
    hidden = ask(Alphabetical(turned, excludes_seen=True), data, np.array([3]))
    assert hidden.tops[0].tolist() == [2] + [-1] * 9
    assert hidden.confidences[0] == 1.0


def test_new_places_are_ranked_among_unvisited_ones_too(world: World) -> None:
    # c and d are new to ann at her fourth event; she has been at a and b, which are liked better.
    data = read_training_set(world(ANN, 100, categories={"d": []}))
    told = ask(Alphabetical(data.catalogue, excludes_seen=False), data, np.array([3]))
    assert (told.ranks.tolist(), told.unvisited_ranks.tolist()) == ([3], [1])
    # What is shown and its chance are those of the ranking of all places.
    assert told.tops[0].tolist() == [0, 1, 2, 3] + [-1] * 6
    undecided = ask(Undecided(data.catalogue, excludes_seen=False), data, np.array([3]))
    assert (undecided.ranks.tolist(), undecided.unvisited_ranks.tolist()) == ([4], [2])


def test_a_return_is_not_among_the_unvisited(world: World) -> None:
    data = read_training_set(world(ANN, 100))
    told = ask(Alphabetical(data.catalogue, excludes_seen=False), data, np.array([2]))
    assert (told.ranks.tolist(), told.unvisited_ranks.tolist()) == ([1], [4])


def test_the_report_tells_new_places_under_both_readings(world: World) -> None:
    # On the last day ann goes to a place of her own again, bob to one that is new to him.
    places = [f"p{number:02d}" for number in range(13)]
    first = [(place, minute) for minute, place in enumerate(places[:12])]
    data = read_training_set(
        world({"ann": [*first, ("p00", 95)], "bob": [*first, ("p12", 96)]}, 90,
              categories={"p13": []})
    )  # fmt: skip
    told = compare({"model": Alphabetical(data.catalogue, excludes_seen=False)}, data).time
    new, unvisited = told["model"].new_places, told["model"].new_among_unvisited
    assert (new.n, new.hr_10, new.mrr) == (1, 0.0, pytest.approx(1 / 13))
    assert (unvisited.n, unvisited.hr_10, unvisited.mrr) == (1, 1.0, 1.0)


def test_without_a_model_the_best_baseline_is_compared_with_the_others(world: World) -> None:
    data = read_training_set(world({"ann": [("p0", 1), ("p1", 2), ("p0", 95)]}, 90))
    asked = {
        "undecided": Undecided(data.catalogue, excludes_seen=False),
        "alphabetical": Alphabetical(data.catalogue, excludes_seen=False),
    }
    told = compare(asked, data, subject=None)
    difference = told.time["alphabetical"].ndcg_10 - told.time["undecided"].ndcg_10
    assert difference > 0
    leads = {who: lead.ndcg_10 for who, lead in told.model_minus["time"].items()}
    assert leads == {"undecided": pytest.approx(difference)}


def test_a_target_outside_the_vocabulary_is_a_miss(world: World) -> None:
    data = read_training_set(world(ANN, 100))
    known = data.catalogue.take(np.array([0, 1]), np.array([2, 1]))
    assert ask(Undecided(known, excludes_seen=False), data, np.array([3])).ranks.tolist() == [3]


def test_a_history_holds_only_what_came_before_and_no_more_than_200_events(world: World) -> None:
    choices = {"ann": [(f"p{n % 7}", n) for n in range(300)], "bob": [("q", 5), ("r", 6)]}
    data = read_training_set(world(choices, 1000))
    undecided = Undecided(data.catalogue, excludes_seen=False)
    ask(undecided, data, np.array([250, 301]))
    shorter, longer = sorted(undecided.asked, key=lambda history: len(history.place_ids))
    assert list(shorter.place_ids) == ["q"]
    assert list(longer.place_ids) == [f"p{n % 7}" for n in range(50, 250)]


def test_the_report_holds_both_splits_and_every_baseline(
    town: Path, trained: Path, tmp_path: Path
) -> None:
    served = Undecided(load(trained).places, excludes_seen=False)
    report = evaluate(town, trained, tmp_path / "evaluation.json", served=served)
    # What an answer costs is what a release would take for it.
    assert {len(history.place_ids) for history in served.asked} == {MAX_EVENTS}
    assert read_json(tmp_path / "evaluation.json", Evaluation) == report
    baselines = {"popularity", "own_visits", "item_knn", "ease", "co_occurrence", "linear_counts"}
    for part in ("time", "loo"):
        assert set(report.quality[part]) == {"model", "network", *baselines}
        for figures in report.quality[part].values():
            new, unvisited = figures.new_places, figures.new_among_unvisited
            assert figures.n == new.n + figures.returns.n
            assert unvisited.n == new.n
            assert unvisited.mrr >= new.mrr
            assert figures.ndcg_10_interval.low <= figures.ndcg_10
    best = report.best_baseline
    assert best in baselines
    for part in ("time", "loo"):
        assert set(report.model_minus[part]) == {"model", "network", *baselines} - {"model"}
        assert set(report.slices[part]) == {
            "history", "popularity", "visit", "category", "district",
        }  # fmt: skip
        assert 0 <= report.calibration[part].error <= 1
    assert report.passes == (not report.refusals)


def test_a_target_without_any_history_is_asked_too(world: World) -> None:
    data = read_training_set(world(ANN, 100))
    undecided = Undecided(replace(data.catalogue), excludes_seen=False)
    ask(undecided, data, np.array([0]))
    assert list(undecided.asked[0].place_ids) == []
