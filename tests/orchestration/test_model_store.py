import json
from dataclasses import replace
from pathlib import Path

import pytest

from models_ml.config import preset_named
from orchestration.files import write_atomically
from orchestration.model_store import (
    NoModelError,
    WrongModelError,
    adopt,
    current_model,
    preset_of_last_model,
    remember_training_set,
)
from serving.home import Home

HASH = "ab" * 32


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a current training set."""
    home = Home(tmp_path / "home")
    folder = home.training_sets / HASH[:16]
    write_atomically(folder / "manifest.json", json.dumps({"hash": HASH}))
    remember_training_set(home, folder)
    return home


def trained(folder: Path, *, on: str = HASH, settings: str = "", weights: str = "w") -> Path:
    """What a training leaves of itself, as far as adopting it goes."""
    identity = {"preset": "tiny", "settings": settings, "seed": "3"}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"training_set_hash": on}))
    (folder / "training.json").write_text(json.dumps({"identity": identity}))
    (folder / "model.safetensors").write_text(weights)
    return folder


def test_an_adopted_model_is_the_homes_model(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match="tastemate train"):
        current_model(home)
    assert preset_of_last_model(home) is None
    there = trained(tmp_path / "there")
    (there / "network.onnx").write_text("not checked here")
    adopt(home, there)
    assert not (current_model(home) / "network.onnx").exists()
    assert preset_of_last_model(home) == "tiny"
    assert (current_model(home) / "model.safetensors").read_text() == "w"


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


def test_a_preset_that_has_changed_leaves_the_older_model_alone(home: Home, tmp_path: Path) -> None:
    preset = preset_named("tiny")
    older = adopt(home, trained(tmp_path / "a", settings=preset.as_text(), weights="older"))
    changed = replace(preset, layers=9).as_text()
    newer = adopt(home, trained(tmp_path / "b", settings=changed, weights="newer"))
    assert older != newer
    assert (older / "model.safetensors").read_text() == "older"
    assert current_model(home) == newer
