import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from models_ml.model_folder import ModelFolder
from models_ml.presets import preset_named
from models_ml.training.record import Identity
from orchestration.model.store import (
    NoModelError,
    NoTrainingSetError,
    WrongModelError,
    adopt,
    current_model,
    current_training_set,
    model_folder,
    preset_for,
    remember_training_set,
    training_set_of,
)
from serving.home import Home
from tests.made import HASH, training_record, write_manifest, write_model


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a current training set."""
    home = Home(tmp_path / "home")
    remember_training_set(home, write_manifest(home.training_sets / HASH[:16]))
    return home


def trained(
    folder: Path, *, on: str = HASH, settings: str = "", weights: str = "w", preset: str = "tiny"
) -> Path:
    """What a training leaves of itself, as far as adopting it goes."""
    record = training_record(identity=Identity(on, preset=preset, settings=settings, seed="3"))
    made = write_model(ModelFolder(folder), config={"training_set_hash": on}, record=record)
    made.weights.write_text(weights)
    return folder


def test_an_adopted_model_is_the_homes_model(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match="tastemate train"):
        current_model(home)
    assert preset_for(home, current_training_set(home)) == "small"
    there = trained(tmp_path / "there")
    ModelFolder(there).graph.write_text("not checked here")
    adopt(home, there)
    assert not current_model(home).graph.exists()
    assert preset_for(home, current_training_set(home)) == "tiny"
    assert current_model(home).weights.read_text() == "w"


def test_the_preset_follows_the_data_until_somebody_chooses_one(home: Home, tmp_path: Path) -> None:
    few = current_training_set(home)
    many = replace(few, manifest=replace(few.manifest, events=200_000))
    assert (preset_for(home, few), preset_for(home, many)) == ("small", "base")
    assert preset_for(home, many, "tiny") == "tiny"
    # What the size chose for the last model, it chooses again.
    adopt(home, trained(tmp_path / "there", preset="small"))
    assert (preset_for(home, few), preset_for(home, many)) == ("small", "base")
    # That was somebody's choice, for the size calls for another.
    adopt(home, trained(tmp_path / "by hand", preset="base"))
    assert (preset_for(home, few), preset_for(home, many)) == ("base", "base")


def test_a_model_of_other_data_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(WrongModelError, match="Export it again"):
        adopt(home, trained(tmp_path / "there", on="cd" * 32))
    with pytest.raises(NoModelError):
        current_model(home)


@pytest.mark.parametrize("missing", ["config.json", "training.json"])
def test_an_unfinished_training_is_refused(home: Home, tmp_path: Path, missing: str) -> None:
    there = trained(tmp_path / "there")
    (there / missing).unlink()
    with pytest.raises(WrongModelError, match=missing):
        adopt(home, there)


def test_what_another_machine_thought_of_a_model_is_not_taken_over(
    home: Home, tmp_path: Path
) -> None:
    there = trained(tmp_path / "there")
    (there / "evaluation.json").write_text("{}")
    assert not adopt(home, there).evaluation.exists()


def test_a_model_is_current_and_has_its_training_set_when_there_is_a_newer_one(
    home: Home, tmp_path: Path
) -> None:
    model = adopt(home, trained(tmp_path / "there"))
    newer = write_manifest(home.training_sets / ("cd" * 8), hash="cd" * 32)
    remember_training_set(home, newer)
    assert current_model(home) == model
    assert training_set_of(home, model).hash == HASH
    shutil.rmtree(home.training_sets / HASH[:16])
    with pytest.raises(NoTrainingSetError, match="is gone"):
        training_set_of(home, model)


def test_models_that_began_otherwise_lie_apart(home: Home) -> None:
    training_set = current_training_set(home)
    fresh = model_folder(home, training_set, "tiny", 0)
    on = [model_folder(home, training_set, "tiny", 0, start * 64) for start in "ab"]
    assert len({fresh, *on}) == 3


def test_a_preset_that_has_changed_leaves_the_older_model_alone(home: Home, tmp_path: Path) -> None:
    preset = preset_named("tiny")
    older = adopt(home, trained(tmp_path / "a", settings=preset.as_text(), weights="older"))
    changed = replace(preset, layers=9).as_text()
    newer = adopt(home, trained(tmp_path / "b", settings=changed, weights="newer"))
    assert older != newer
    assert older.weights.read_text() == "older"
    assert current_model(home) == newer
