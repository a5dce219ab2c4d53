import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from models_ml.data.leakage import LearnedFrom
from models_ml.data.split import split
from models_ml.data.training_set import read_training_set
from models_ml.model_folder import ModelFolder
from models_ml.presets import preset_named
from models_ml.train import train
from models_ml.training.record import TrainingRecord
from models_ml.typed_json import json_text
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
from tests.made import write_manifest
from tests.models_ml.conftest import Choices, write_training_set

Trained = Callable[..., Path]


CHOICES: Choices = {
    name: [*((f"p{minute % 4}", minute) for minute in range(1, 9)), ("p1", 90)]
    for name in ("ann", "bob", "cem")
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a current training set."""
    home = Home(tmp_path / "home")
    made = write_training_set(home.training_sets / "new", CHOICES, 80)
    remember_training_set(home, made.rename(made.parent / read_training_set(made).hash[:16]))
    return home


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training on the same set, done elsewhere."""
    folder = tmp_path_factory.mktemp("elsewhere")
    train(write_training_set(folder / "set", CHOICES, 80), folder / "model", "tiny", seed=3)
    return folder / "model"


@pytest.fixture
def trained(made: Path) -> Callable[..., Path]:
    """What a training leaves of itself, with what a test changes of its record."""

    def train_there(folder: Path, *, on: str | None = None, **identity: str) -> Path:
        there = ModelFolder(shutil.copytree(made, folder))
        record = TrainingRecord.read(there)
        assert record
        there.training.write_text(
            json_text(replace(record, identity=replace(record.identity, **identity)))
        )
        config = json.loads(there.config.read_text())
        there.config.write_text(json.dumps(config | ({"training_set_hash": on} if on else {})))
        return folder

    return train_there


def test_an_adopted_model_is_the_homes_model(home: Home, tmp_path: Path, trained: Trained) -> None:
    with pytest.raises(NoModelError, match="tastemate train"):
        current_model(home)
    assert preset_for(home, current_training_set(home)) == "small"
    there = trained(tmp_path / "there")
    ModelFolder(there).graph.write_text("not checked here")
    adopt(home, there)
    assert not current_model(home).graph.exists()
    assert preset_for(home, current_training_set(home)) == "tiny"
    assert current_model(home).weights.read_bytes() == (there / "model.safetensors").read_bytes()


def test_the_preset_follows_the_data_until_somebody_chooses_one(
    home: Home, tmp_path: Path, trained: Trained
) -> None:
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


def test_a_model_of_other_data_is_refused(home: Home, tmp_path: Path, trained: Trained) -> None:
    with pytest.raises(WrongModelError, match="Export it again"):
        adopt(home, trained(tmp_path / "there", on="cd" * 32))
    with pytest.raises(NoModelError):
        current_model(home)


@pytest.mark.parametrize("missing", ["config.json", "training.json"])
def test_an_unfinished_training_is_refused(
    home: Home, tmp_path: Path, trained: Trained, missing: str
) -> None:
    there = trained(tmp_path / "there")
    (there / missing).unlink()
    with pytest.raises(WrongModelError, match=missing):
        adopt(home, there)


def test_a_model_that_held_out_other_events_is_refused(
    home: Home, tmp_path: Path, trained: Trained
) -> None:
    there = ModelFolder(trained(tmp_path / "there"))
    record = TrainingRecord.read(there)
    assert record
    for learned_from in ([LearnedFrom(record.identity.training_set_hash, "ef" * 32)], None):
        there.training.write_text(json_text(replace(record, learned_from=learned_from)))
        with pytest.raises(WrongModelError, match="held out other events"):
            adopt(home, there.path)


def test_a_model_that_learned_held_out_events_before_is_refused(
    home: Home, tmp_path: Path, trained: Trained
) -> None:
    """It began with one of a set that this home knows, in which they were learned."""
    later = write_training_set(home.training_sets / "later", CHOICES, 95)
    data = read_training_set(later)
    there = ModelFolder(trained(tmp_path / "there"))
    record = TrainingRecord.read(there)
    assert record
    assert record.learned_from
    longer = {name: [*row, ("p1", 91), ("p1", 92)] for name, row in CHOICES.items()}
    data = read_training_set(write_training_set(later, longer, 95))
    learned = [LearnedFrom.of(data, split(data)), *record.learned_from]
    there.training.write_text(json_text(replace(record, learned_from=learned)))
    with pytest.raises(WrongModelError, match="events that are held out were learned"):
        adopt(home, there.path)


def test_what_a_model_counts_is_counted_here(home: Home, tmp_path: Path, trained: Trained) -> None:
    """Of one that counted its targets, too, nothing of that is left."""
    there = ModelFolder(trained(tmp_path / "there"))
    honest = there.weights.read_bytes()
    tensors = load_file(there.weights)
    counted = [name for name in tensors if name.startswith("shares.")]
    assert counted
    for name in counted:
        tensors[name] = tensors[name] * 2
    save_file(tensors, there.weights)
    assert there.weights.read_bytes() != honest
    assert adopt(home, there.path).weights.read_bytes() == honest


def test_a_model_of_other_places_is_refused(home: Home, tmp_path: Path, trained: Trained) -> None:
    there = ModelFolder(trained(tmp_path / "there"))
    pq.write_table(pq.read_table(there.places).slice(1), there.places)
    with pytest.raises(WrongModelError, match="other places"):
        adopt(home, there.path)


def test_what_another_machine_thought_of_a_model_is_not_taken_over(
    home: Home, tmp_path: Path, trained: Trained
) -> None:
    there = trained(tmp_path / "there")
    (there / "evaluation.json").write_text("{}")
    assert not adopt(home, there).evaluation.exists()


def test_a_model_is_current_and_has_its_training_set_when_there_is_a_newer_one(
    home: Home, tmp_path: Path, trained: Trained
) -> None:
    model = adopt(home, trained(tmp_path / "there"))
    of_it = current_training_set(home)
    newer = write_manifest(home.training_sets / ("cd" * 8), hash="cd" * 32)
    remember_training_set(home, newer)
    assert current_model(home) == model
    assert training_set_of(home, model).hash == of_it.hash
    shutil.rmtree(of_it.folder)
    with pytest.raises(NoTrainingSetError, match="is gone"):
        training_set_of(home, model)


def test_models_that_began_otherwise_lie_apart(home: Home) -> None:
    training_set = current_training_set(home)
    fresh = model_folder(home, training_set, "tiny", 0)
    on = [model_folder(home, training_set, "tiny", 0, start * 64) for start in "ab"]
    assert len({fresh, *on}) == 3


def test_a_preset_that_has_changed_leaves_the_older_model_alone(
    home: Home, tmp_path: Path, trained: Trained
) -> None:
    preset = preset_named("tiny")
    older = adopt(home, trained(tmp_path / "a", settings=preset.as_text()))
    changed = replace(preset, layers=9).as_text()
    newer = adopt(home, trained(tmp_path / "b", settings=changed))
    assert older != newer
    assert older.is_finished
    assert current_model(home) == newer
