"""Forged and cheating models: what has seen its targets, or knows one trick, does not pass."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from models_ml.baselines.fit import baselines_of, tuned_for
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.baselines.linear_counts_fit import counted_in
from models_ml.baselines.share_tables import ShareTables
from models_ml.baselines.shares import AFTER_EVENTS, POPULAR
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit
from models_ml.data.event_windows import EventWindows
from models_ml.data.split import split
from models_ml.data.tokens import SPECIAL_TOKENS
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.evaluate import evaluate
from models_ml.evaluation.memorization import memorization
from models_ml.evaluation.report import Evaluation
from models_ml.model_folder import ModelFolder
from models_ml.train import train
from tests.models_ml.conftest import Choices, write_training_set

CUT = 2200
SEEN = "seems to have seen what it is asked"


def city_choices(people: int = 900) -> Choices:
    """People who go round four places of their own out of 240, and stray two times of three."""
    generator = np.random.default_rng(3)
    choices: Choices = {}
    for person in range(people):
        own = [f"{'abcd'[person % 4]}{one}" for one in generator.choice(60, 4, replace=False)]
        minute, visits = int(generator.integers(0, 60)), []
        for step in range(int(generator.integers(8, 30))):
            strays = generator.random() >= 0.35
            elsewhere = f"{'abcd'[generator.integers(4)]}{generator.integers(60)}"
            visits.append((elsewhere if strays else own[step % 4], minute))
            minute += int(generator.integers(30, 200))
        choices[f"u{person:03d}"] = visits
    return choices


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kinds = {f"{letter}{number}": [letter] for letter in "abcd" for number in range(60)}
    folder = tmp_path_factory.mktemp("city") / "set"
    return write_training_set(folder, city_choices(), CUT, kinds)


@pytest.fixture(scope="module")
def honest(city: Path) -> Path:
    train(city, city.parent / "honest", "tiny")
    return city.parent / "honest"


@pytest.fixture(scope="module")
def fit(city: Path) -> Fit:
    return Fit(read_training_set(city))


@pytest.fixture(scope="module")
def tuned(fit: Fit, city: Path) -> Tuned:
    return tuned_for(fit, city.parent / "tuned.json")


@pytest.fixture
def judged(city: Path, honest: Path, tmp_path: Path) -> Callable[..., Evaluation]:
    """Evaluate the honest model with other counts in its place, its network left out."""

    def judge(counts: LinearCounts) -> Evaluation:
        forged = ModelFolder(Path(shutil.copytree(honest, tmp_path / "forged")))
        config = json.loads(forged.config.read_text())
        config["counts"] = {"weight": 1.0, **counts.settings}
        forged.config.write_text(json.dumps(config))
        save_file({**load_file(forged.weights), **counts.tensors}, forged.weights)
        kept = city.parent / "tuned.json"
        return evaluate(city, forged.path, tmp_path / "evaluation.json", tuned=kept)

    return judge


def counted_also(fit: Fit, tuned: Tuned, part: float) -> LinearCounts:
    """Count what may be known, and a *part* of what is held out."""
    held_out = np.setdiff1d(
        np.flatnonzero(fit.events.places - SPECIAL_TOKENS < len(fit.vocabulary)), fit.known
    )
    chosen = held_out[np.random.default_rng(0).random(len(held_out)) < part]
    return counted_in(fit, tuned, np.sort(np.concatenate([fit.known, chosen])))


def test_one_that_counted_the_targets_is_told_by_its_memory(
    fit: Fit, tuned: Tuned, judged: Callable[..., Evaluation]
) -> None:
    told = judged(counted_also(fit, tuned, 1.0))
    # By its figures alone it would have passed.
    assert told.model_minus["time"]["linear_counts"].p_value <= told.terms.alpha
    assert any(SEEN in said for said in told.refusals)


@pytest.mark.parametrize("part", [0.2, 0.5])
def test_one_that_counted_some_of_the_targets_is_refused(
    fit: Fit, tuned: Tuned, judged: Callable[..., Evaluation], part: float
) -> None:
    assert not judged(counted_also(fit, tuned, part)).passes


def with_one_trick(tables: ShareTables, **weights: float) -> LinearCounts:
    names = dict.fromkeys(AFTER_EVENTS, 0.0) | weights
    return LinearCounts(tables, names, dict.fromkeys(POPULAR, 1.0))


def test_the_last_place_first_is_refused(
    fit: Fit, tuned: Tuned, judged: Callable[..., Evaluation]
) -> None:
    tables = counted_in(fit, tuned, fit.known).tables
    assert "better than" in " ".join(judged(with_one_trick(tables, own_5=1.0)).refusals)


def test_the_last_place_for_all_is_refused(
    fit: Fit, tuned: Tuned, judged: Callable[..., Evaluation]
) -> None:
    """Where the newest event of all was, which is a target."""
    tables = counted_in(fit, tuned, fit.known).tables
    tables.popularity[...] = 0.0
    last = fit.events.places[int(np.argmax(fit.data.ats))] - SPECIAL_TOKENS
    tables.popularity[:, last] = 1.0
    assert "better than" in " ".join(judged(with_one_trick(tables, popular=1.0)).refusals)


class Mixing:
    """The honest model, with a bonus for what will come in some of its answers."""

    def __init__(self, honest: LinearBaseline, data: TrainingSet, part: float) -> None:
        self._honest, self.places, self.excludes_seen = honest, honest.places, False
        self.dimensions = honest.dimensions
        drawn = np.random.default_rng(0).random(len(data.places)) < part
        is_target = np.zeros(len(data.places), dtype=bool)
        is_target[split(data).time_targets] = True
        self._told = drawn & is_target

    def encode_training_set(self, data: TrainingSet):
        return self._honest.encode_training_set(data)

    def score(self, histories):
        return self._honest.score(histories)

    def embed(self, histories):
        return self._honest.embed(histories)

    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        scores = self._honest.score_events(windows)
        told = np.flatnonzero(self._told[windows.stops])
        came = windows.events.places[windows.stops[told]] - SPECIAL_TOKENS
        known = came < scores.shape[1]
        scores[told[known], came[known]] += 1.0
        return scores


@pytest.mark.parametrize("part", [0.02, 0.05, 0.2, 1.0])
def test_a_little_of_the_targets_mixed_in_is_told(fit: Fit, tuned: Tuned, part: float) -> None:
    """Whoever knows one answer in fifty has hardly a memory of what it learned any more."""
    (linear,) = [one for one in baselines_of(fit, tuned) if isinstance(one, LinearBaseline)]
    targets = fit.parts.time_targets
    told = memorization(fit, tuned, Mixing(linear, fit.data, part), linear, targets)
    assert told
    assert told.counting > 1.645 * told.error
    assert told.model < told.least == pytest.approx(told.counting / 2)


def test_the_honest_model_remembers_what_it_learned(
    honest: Path, city: Path, tmp_path: Path
) -> None:
    told = evaluate(city, honest, tmp_path / "evaluation.json", tuned=city.parent / "tuned.json")
    assert told.memorization
    assert told.memorization.model > told.memorization.counting > 0
    assert SEEN not in " ".join(told.refusals)


def test_where_hardly_a_pair_comes_twice_less_is_asked(tmp_path: Path) -> None:
    """Counting then knows nearly all that it learned, and next to nothing else."""
    generator = np.random.default_rng(0)
    choices: Choices = {
        f"u{nth:03d}": [(f"p{one}", 60 * step) for step, one in enumerate(places)]
        for nth, places in enumerate(
            generator.permuted(np.tile(np.arange(4000), (300, 1)), axis=1)[:, :8]
        )
    }
    data = read_training_set(write_training_set(tmp_path, choices, 400))
    fit = Fit(data)
    tuned = tuned_for(fit)
    counting = fit.linear(counted_in(fit, tuned, fit.known))
    told = memorization(fit, tuned, counting, counting, fit.parts.loo_targets)
    assert told
    assert told.counting > 0.1 > told.least


def test_without_learned_events_nothing_is_told(fit: Fit, tuned: Tuned) -> None:
    (linear,) = [one for one in baselines_of(fit, tuned) if isinstance(one, LinearBaseline)]
    assert memorization(fit, tuned, linear, linear, np.zeros(0, np.int64)) is None
