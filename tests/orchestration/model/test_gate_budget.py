"""The error that the gate's judgements share: spent a little each time, and back after a while."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.model_folder import ModelFolder
from orchestration.model.gate_budget import BUDGET, DAYS, PART, spend
from serving.home import Home

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def model(folder: Path, weights: str) -> ModelFolder:
    made = ModelFolder(folder / weights)
    made.path.mkdir(parents=True, exist_ok=True)
    made.weights.write_text(weights)
    return made


def test_each_judgement_takes_its_part_of_what_is_left(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = spend(home, model(tmp_path, "a"), MONDAY)
    second = spend(home, model(tmp_path, "b"), MONDAY + timedelta(days=1))
    assert first == pytest.approx(PART * BUDGET)
    assert second == pytest.approx(PART * (BUDGET - first))


def test_the_same_model_is_asked_the_same_again_and_pays_once(tmp_path: Path) -> None:
    home, one = Home(tmp_path), model(tmp_path, "a")
    first = spend(home, one, MONDAY)
    assert spend(home, one, MONDAY + timedelta(days=1)) == first
    assert spend(home, model(tmp_path, "b"), MONDAY) == pytest.approx(PART * (BUDGET - first))
    # Other weights in the folder of the same name are another model.
    one.weights.write_text("trained otherwise")
    assert spend(home, one, MONDAY + timedelta(days=1)) < first


def test_what_was_spent_long_ago_is_there_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = spend(home, model(tmp_path, "a"), MONDAY)
    again = spend(home, model(tmp_path, "b"), MONDAY + timedelta(days=DAYS))
    assert again == first


def test_judged_daily_it_becomes_stricter_and_settles(tmp_path: Path) -> None:
    home = Home(tmp_path)
    spent = [
        spend(home, model(tmp_path, str(day)), MONDAY + timedelta(days=day)) for day in range(200)
    ]
    # As decision 0023 says.
    assert min(spent) == pytest.approx(0.0003, abs=0.00005)
    assert spent[-1] == pytest.approx(0.0014, abs=0.00005)


@given(st.lists(st.integers(0, 40 * 24), max_size=120).map(sorted))
@settings(deadline=None)
def test_no_days_spend_more_than_the_budget(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("home")
    home, spent = Home(folder), []
    for number, hour in enumerate(hours):
        at = MONDAY + timedelta(hours=hour)
        alpha = spend(home, model(folder, str(number)), at)
        assert alpha > 0
        spent.append((at, alpha))
    for begin, _ in spent:
        within = timedelta(0), timedelta(days=DAYS)
        inside = [alpha for at, alpha in spent if within[0] <= at - begin < within[1]]
        assert sum(inside) <= BUDGET
