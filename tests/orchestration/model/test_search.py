"""The search for a preset, on a made-up town."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from models_ml.presets import Preset, preset_named
from orchestration.model.search import main, search
from tests.models_ml.conftest import TOWN_CATEGORIES, TOWN_CUT, town_choices, write_training_set

BASE = preset_named("tiny")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    return write_training_set(folder, town_choices(), TOWN_CUT, TOWN_CATEGORIES)


def study(out: Path) -> optuna.Study:
    return optuna.load_study(study_name="preset", storage=f"sqlite:///{out / 'study.db'}")


@pytest.mark.slow
def test_a_search_goes_on_where_it_was_stopped(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    search(town, tmp_path, BASE, 1, said.append)
    assert len(said) == 1

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("orchestration.model.search.train", killed)
        with pytest.raises(KeyboardInterrupt):
            search(town, tmp_path, BASE, 1)
    (cut_off,) = [one for one in study(tmp_path).trials if one.state is not TrialState.COMPLETE]

    best = search(town, tmp_path, BASE, 1, said.append)
    trials = study(tmp_path).get_trials(states=[TrialState.COMPLETE, TrialState.PRUNED])
    assert len(trials) == 2
    assert trials[-1].params == cut_off.params
    assert best.epochs == BASE.epochs
    assert (best.layers, best.dropout) == tuple(
        study(tmp_path).best_params[name] for name in ("layers", "dropout")
    )


def test_a_search_in_several_sessions_tries_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def train(_: Path, out: Path, preset: Preset, **__: object) -> Any:
        tried.append(out.name)
        return SimpleNamespace(
            record=SimpleNamespace(validation_ndcg_10=preset.dropout + preset.averaging)
        )

    monkeypatch.setattr("orchestration.model.search.train", train)
    for _ in range(4):
        search(Path("none"), tmp_path, BASE, 3)
    assert len(tried) == len(set(tried)) == 12


def test_who_is_tired_of_waiting_ends_it_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration.model.search.search", stopped)
    monkeypatch.setattr(sys, "argv", ["search", "--data", "none", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err
