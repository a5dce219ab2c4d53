"""The gate: what it refuses, and why; with reports by hand and with forged models."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from models_ml.data.split import split
from models_ml.data.training_set import read_training_set
from models_ml.evaluate import evaluate
from models_ml.evaluation.gate import gate_split, refusals
from models_ml.evaluation.report import Evaluation, Lead, Memorization, SliceFigures
from models_ml.figures import Interval
from models_ml.model_folder import ModelFolder
from models_ml.recommender import is_beside_the_network
from models_ml.train import train
from tests.made import evaluation
from tests.models_ml.conftest import Choices, town_choices, write_training_set

GOOD = evaluation({"model": 0.3, "popularity": 0.1, "champion": 0.2})


def against(judged: Evaluation) -> list[str]:
    return refusals(judged, judged.terms, judged.memorization, judged.behaviours, judged.cost)


def led_by(ndcg_10: float, p_value: float = 0.001) -> Evaluation:
    leads = {**GOOD.model_minus["time"], "popularity": Lead(ndcg_10, Interval(0, 0), p_value, 0.0)}
    return replace(GOOD, model_minus={"time": leads, "loo": leads})


def beside_the_champion(low: float, high: float) -> Evaluation:
    told = SliceFigures(70, {"model": 0.3, "champion": 0.2}, Interval(low, high))
    slices = {"visit": {"return": told}}
    return replace(GOOD, slices={"time": slices, "loo": slices})


def test_nothing_speaks_against_a_good_model() -> None:
    assert against(GOOD) == []
    assert against(beside_the_champion(-0.005, 0.1)) == []


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (led_by(-0.01), "no better than popularity"),
        (led_by(0.0), "no better than popularity"),
        (led_by(0.2, p_value=0.2), "not surely better .* p 0.2000, at most 0.05 is asked"),
        (led_by(0.001), "hardly better than popularity: .* differ by 0.0020, more is asked"),
        (
            replace(
                GOOD,
                memorization=Memorization(model=0.014, counting=0.03, error=0.002, least=0.015),
            ),
            r"seems to have seen what it is asked: .* by \+0.0140, counting by \+0.0300",
        ),
        (beside_the_champion(-0.1, -0.02), "worse than the champion where visit is return"),
        (
            replace(GOOD, behaviours=[replace(GOOD.behaviours[0], passed=False)]),
            "any_length: finite",
        ),
        (replace(GOOD, cost=replace(GOOD.cost, p95_ms=500.0)), "500 ms"),
        (replace(GOOD, cost=replace(GOOD.cost, bytes=10**10)), "10,000,000,000 bytes"),
    ],
)
def test_each_fault_is_a_reason(judged: Evaluation, reason: str) -> None:
    (said,) = against(judged)
    assert re.search(reason, said)


def test_where_counting_surely_remembers_nothing_there_is_nothing_to_measure_by() -> None:
    for told in (Memorization(model=-0.01, counting=0.003, error=0.002, least=0.0015), None):
        assert against(replace(GOOD, memorization=told)) == []


def test_where_times_are_made_up_the_last_events_are_asked(town: Path) -> None:
    synthetic = replace(read_training_set(town), is_time_synthetic=True)
    parts = split(synthetic)
    nothing = np.zeros(0, np.int64)
    assert gate_split(synthetic, parts) == "loo"
    assert gate_split(synthetic, replace(parts, loo_targets=nothing)) == "time"
    assert gate_split(read_training_set(town), parts) == "time"
    assert gate_split(read_training_set(town), replace(parts, time_targets=nothing)) == "loo"


def test_the_split_that_is_asked_decides() -> None:
    on_loo = replace(led_by(0.2), terms=replace(GOOD.terms, split="loo"))
    worse = {**on_loo.model_minus, "loo": led_by(-0.01).model_minus["loo"]}
    (said,) = against(replace(on_loo, model_minus=worse))
    assert "no better than popularity" in said
    assert "on each user's last event" in said


def test_worse_than_the_champion_by_less_than_the_margin_is_no_reason() -> None:
    assert against(beside_the_champion(-0.02, -0.005)) == []


def _constant(weights: dict[str, np.ndarray]) -> None:
    for value in weights.values():
        value[...] = 0


def _constant_beside_counts(weights: dict[str, np.ndarray]) -> None:
    for name, value in weights.items():
        if not is_beside_the_network(name):
            value[...] = 0


def _nan(weights: dict[str, np.ndarray]) -> None:
    for name, value in weights.items():
        if not is_beside_the_network(name):
            value[...] = np.nan


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_constant, "one_event"),
        (_constant_beside_counts, "one_event"),
        (_nan, "any_length"),
        (_nan, "no better than"),
    ],
)
def test_a_spoiled_model_is_refused(
    town: Path,
    trained: Path,
    tmp_path: Path,
    spoil: Callable[[dict[str, np.ndarray]], None],
    reason: str,
) -> None:
    forged = forge(trained, tmp_path / "forged", spoil)
    report = evaluate(town, forged, tmp_path / "evaluation.json")
    assert not report.passes
    assert any(reason in refusal for refusal in report.refusals)


def test_a_model_that_learned_from_shuffled_histories_is_refused(
    town: Path, tmp_path: Path
) -> None:
    shuffled = write_training_set(tmp_path / "shuffled", _shuffled(town_choices()), 2200)
    train(shuffled, tmp_path / "model", "tiny")
    report = evaluate(town, tmp_path / "model", tmp_path / "evaluation.json")
    assert not report.passes
    assert any("better than" in refusal for refusal in report.refusals)


def test_the_command_says_why_and_compares_with_what_is_live(
    town: Path, trained: Path, tmp_path: Path
) -> None:
    forged = forge(trained, tmp_path / "forged", _constant)
    said = subprocess.run(
        [
            sys.executable, "-m", "models_ml.evaluate", "--data", town, "--model", forged,
            "--champion", trained,
        ],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "refused:" in said
    assert "worse than the champion where" in said
    report = Evaluation.read(ModelFolder(forged))
    assert set(report.time) >= {"model", "champion"}
    assert report.best_baseline not in {"model", "champion"}


def forge(folder: Path, to: Path, spoil: Callable[[dict[str, np.ndarray]], None]) -> Path:
    """Copy what a release holds of a model folder, with its weights spoiled."""
    to.mkdir()
    for name in ("config.json", "places.parquet", "vocabulary.json"):
        (to / name).write_bytes((folder / name).read_bytes())
    weights = {
        name: value.copy() for name, value in load_file(folder / "model.safetensors").items()
    }
    spoil(weights)
    save_file(weights, to / "model.safetensors")
    return to


def _shuffled(choices: Choices) -> Choices:
    """Give each event to anybody: what is left is how often each place is visited."""
    generator = np.random.default_rng(0)
    places = [place for events in choices.values() for place, _ in events]
    order = iter(generator.permutation(len(places)))
    return {
        user: [(places[next(order)], minute) for _, minute in events]
        for user, events in choices.items()
    }
