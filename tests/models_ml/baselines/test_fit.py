"""The baselines on a world small enough to count by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from models_ml.baselines.base import Baseline
from models_ml.baselines.counting import CountingBaseline
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.fit import fit_baselines
from models_ml.baselines.item_neighbours import Neighbours
from models_ml.data.tokens import History
from models_ml.data.training_set import read_training_set
from models_ml.loading import load
from models_ml.model_folder import ModelFolderError
from tests.models_ml.conftest import write_training_set

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


def own_visits(baselines: dict[str, Baseline], **settings: float) -> CountingBaseline:
    vocabulary = baselines["popularity"]._vocabulary
    return CountingBaseline(
        vocabulary,
        Counts(
            Counting("own_visits", own=1.0, own_age=1e9, **settings),
            Neighbours.none(len(vocabulary)),
        ),
        baselines["popularity"]._taste, excludes_seen=False,
    )  # fmt: skip


def shares(baseline: Baseline, places: str, minutes: list[int]) -> dict[str, float]:
    ats = [minute * 60_000_000 for minute in minutes]
    scores = baseline.score([History(list(places), ["visit"] * len(places), ats)])[0]
    names = baseline.places.place_ids
    return {name: round(float(score), 3) for name, score in zip(names, scores, strict=True)}


def test_a_visit_that_came_after_the_same_place_counts_more(baselines: dict[str, Baseline]) -> None:
    # After the a before came b: 1 + 3 of 7.
    counted = shares(own_visits(baselines, own_next=3.0), "abca", [0, 1, 2, 3])
    assert counted == {"a": 0.286, "b": 0.571, "c": 0.143, "d": 0.0}


def test_a_visit_that_came_after_a_like_hour_counts_more(baselines: dict[str, Baseline]) -> None:
    # The last event is at 23:00. What came before c was at 1:00, two hours off, and counts
    # exp(-1/2) more; before b, d and the last were noon, 5:00 and 11:00, which count little.
    minutes = [12 * 60, 25 * 60, 29 * 60, 35 * 60, 47 * 60]
    counted = shares(own_visits(baselines, own_hour=1.0), "abcda", minutes)
    likeness = [np.exp(-((hours / 2) ** 2) / 2) for hours in (11, 2, 6, 12)]
    total = 5 + sum(likeness)
    assert counted["c"] == pytest.approx((1 + likeness[1]) / total, abs=1e-3)
    assert counted["b"] == pytest.approx((1 + likeness[0]) / total, abs=1e-3)


def test_hours_are_not_counted_where_times_are_made_up(world: World) -> None:
    data = read_training_set(world(FOUR, 80, is_time_synthetic=True))
    own = {made.name: made for made in fit_baselines(data)}["own_visits"]
    assert own.architecture["own_hour"] == 0.0


def test_what_is_to_be_guessed_tells_the_baselines_nothing(
    baselines: dict[str, Baseline], tmp_path: Path
) -> None:
    # Other places after the cut, known ones, and another order among them.
    changed = {user: [*rows[:-2], ("d", 90), ("a", 92)] for user, rows in FOUR.items()}
    folder = write_training_set(tmp_path / "changed", changed, 80)
    for baseline in fit_baselines(read_training_set(folder)):
        before = baselines[baseline.name]
        assert baseline.architecture == before.architecture
        for name, value in baseline.tensors.items():
            assert np.array_equal(value, before.tensors[name]), name


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
    # Four people are too few to tune by; the shrinkage is then three people for each place.
    cosines = {"b": 2 / np.sqrt(5 * 6), "c": 1 / np.sqrt(5 * 5), "d": 0}
    for place, cosine in cosines.items():
        share = cosine / sum(cosines.values())
        assert scores[columns[place]] == pytest.approx(share, abs=1e-4)


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


def test_a_baseline_of_an_earlier_version_says_so(
    baselines: dict[str, Baseline], tmp_path: Path
) -> None:
    baselines["own_visits"].save(tmp_path, "0" * 64)
    config = json.loads((tmp_path / "config.json").read_text())
    config["architecture"]["follow_age"] = 1.0
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFolderError, match="earlier version fitted this baseline"):
        load(tmp_path)


def test_neighbours_of_an_earlier_version_say_so(
    baselines: dict[str, Baseline], tmp_path: Path
) -> None:
    baselines["co_occurrence"].save(tmp_path, "0" * 64)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["neighbours.offsets"]
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelFolderError, match="neighbours laid out as they are no more"):
        load(tmp_path)
