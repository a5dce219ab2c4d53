"""Where trained models lie in a home, which one is current, and what it was trained on."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_ml.presets import PRESETS, preset_named, run_name
from orchestration.home.atomic_files import new_folder, read_json, write_atomically
from serving.home import Home


class NoTrainingSetError(RuntimeError):
    """Nothing has been prepared to train on."""


class NoModelError(RuntimeError):
    """No model has been trained or adopted."""


class WrongModelError(RuntimeError):
    """A folder that is to be adopted holds no model of the current training set."""


@dataclass(frozen=True)
class TrainingSet:
    """A training set in its folder."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def hash(self) -> str:
        return str(self.manifest["hash"])


def remember_training_set(home: Home, folder: Path) -> None:
    """Make *folder* the current training set."""
    write_atomically(home.current_training_set, json.dumps({"folder": folder.name}))


def current_training_set(home: Home) -> TrainingSet:
    """Find the training set that the home's last build gave.

    Raises:
        NoTrainingSetError: there is none yet.
    """
    pointer = home.current_training_set
    if not pointer.exists():
        raise NoTrainingSetError(
            f"{home.training_sets}: there is no training set yet. Make one: tastemate run"
        )
    folder = home.training_sets / json.loads(pointer.read_text())["folder"]
    return TrainingSet(folder, json.loads((folder / "manifest.json").read_text()))


def pointers(home: Home) -> tuple[Path, Path]:
    """Tell where it is written which training set and which model are current."""
    return home.current_training_set, home.current_model


def model_folder(
    home: Home, training_set: TrainingSet, preset: str, seed: int, start: str | None = None
) -> Path:
    """Name the folder of the model of *preset* and *seed* trained on *training_set*.

    With *start* it is the one that goes on from the model of that content hash.
    """
    if start is None:
        return _folder(home, training_set, run_name(preset, preset_named(preset).as_text(), seed))
    name = run_name(preset, preset_named(preset).warm.as_text(), seed)
    return _folder(home, training_set, name, start)


def remember_model(home: Home, folder: Path) -> None:
    """Make *folder* the current model."""
    write_atomically(home.current_model, json.dumps({"folder": folder.name}))


def current_model(home: Home) -> Path:
    """Find the model last trained or adopted.

    Raises:
        NoModelError: there is none.
    """
    pointer = read_json(home.current_model)
    if pointer and (home.models / pointer["folder"] / "config.json").exists():
        return home.models / str(pointer["folder"])
    raise NoModelError(f"{home.models}: no model has been trained yet. Train one: tastemate train")


def training_set_of(home: Home, model: Path) -> TrainingSet:
    """Find the training set that *model* was trained on, be it an older one than the current.

    Raises:
        NoTrainingSetError: it is gone.
    """
    trained_on = _trained_on(model / "config.json")
    folder = home.training_sets / trained_on[:16]
    if not (folder / "manifest.json").exists():
        raise NoTrainingSetError(
            f"{folder}: the training set that model {model.name} has learned from is gone, as it "
            "is when a person in it was forgotten. Make a new one and train on it: tastemate run"
        )
    return TrainingSet(folder, json.loads((folder / "manifest.json").read_text()))


def preset_of_last_model(home: Home) -> str | None:
    """Tell with which preset the last model was made; None if there is none, or it has no name."""
    pointer = read_json(home.current_model)
    training = read_json(home.models / pointer["folder"] / "training.json") if pointer else None
    preset = training["identity"]["preset"] if training else None
    return preset if preset in PRESETS else None


def training_facts(model: Path) -> dict[str, Any]:
    """Tell how long *model* was trained; nothing of a baseline, which is not trained."""
    path = model / "training.json"
    training = json.loads(path.read_text()) if path.exists() else {}
    told = ("epochs", "best_epoch", "is_cut_short", "seconds", "device")
    return {name: training[name] for name in told if name in training}


def export_training_set(home: Home, target: Path) -> TrainingSet:
    """Copy the current training set to *target*, for a machine that has nothing but a GPU."""
    training_set = current_training_set(home)
    shutil.copytree(training_set.folder, target, dirs_exist_ok=True)
    return training_set


def adopt(home: Home, source: Path) -> Path:
    """Take a model trained elsewhere, if it was trained on the current training set.

    Raises:
        WrongModelError: *source* holds no model, or one of another training set.
    """
    training_set = current_training_set(home)
    config, training = source / "config.json", source / "training.json"
    for path in (config, training):
        if not path.exists():
            raise WrongModelError(
                f"{source}: there is no {path.name}, so no finished training. "
                "Train there first: python -m models_ml.train --data FOLDER --out FOLDER"
            )
    if _trained_on(config) != training_set.hash:
        raise WrongModelError(
            f"{config}: trained on training set {_trained_on(config)[:16]}, "
            f"but the home's is {training_set.hash[:16]}. "
            "Export it again and train on that: tastemate train --export DIR"
        )
    run = json.loads(training.read_text())["identity"]
    name = run_name(run["preset"], run["settings"], int(run["seed"]))
    folder = _folder(home, training_set, name, run.get("warm_start"))
    # It is exported, and judged beside what is live, here where it is to be served.
    made_there = shutil.ignore_patterns("network.onnx", "export.json", "evaluation.json")
    with new_folder(folder) as draft:
        shutil.copytree(source, draft, ignore=made_there, dirs_exist_ok=True)
    remember_model(home, folder)
    return folder


def _folder(home: Home, training_set: TrainingSet, run: str, start: str | None = None) -> Path:
    began_with = f"-from-{start[:8]}" if start else ""
    return home.models / f"{training_set.folder.name}-{run}{began_with}"


def _trained_on(config: Path) -> str:
    return str(json.loads(config.read_text())["training_set_hash"])
