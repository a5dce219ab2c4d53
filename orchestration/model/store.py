"""Where trained models lie in a home, which one is current, and what it was trained on."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models_ml.data.training_set import Manifest, TrainingSetFolder
from models_ml.model_folder import EVALUATION, EXPORT, GRAPH, ModelFolder, ModelFolderError
from models_ml.presets import PRESETS, fitting, preset_named, run_name
from models_ml.training.record import TrainingRecord
from orchestration.home.atomic_files import new_folder
from orchestration.home.places import made_at
from orchestration.home.state_files import Folder, Pointers
from serving.card import TrainingFacts
from serving.home import Home

if TYPE_CHECKING:
    from models_ml.baselines.base import Baseline


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
    manifest: Manifest

    @property
    def hash(self) -> str:
        return self.manifest.hash

    @property
    def tuned(self) -> Path:
        """What tuning the baselines on it has found; it goes where the set goes."""
        return self.folder / "tuned.json"


def remember_training_set(home: Home, folder: Path) -> None:
    """Make *folder* the current training set."""
    Pointers(home).training_set.write(Folder(folder.name))


def current_training_set(home: Home) -> TrainingSet:
    """Find the training set that the home's last build gave.

    Raises:
        NoTrainingSetError: there is none yet.
    """
    current = Pointers(home).training_set.read()
    if current is None:
        raise NoTrainingSetError(
            f"{home.training_sets}: there is no training set yet. Make one: tastemate run"
        )
    return _training_set(home.training_sets / current.folder)


def model_folder(
    home: Home, training_set: TrainingSet, preset: str, seed: int, start: str | None = None
) -> ModelFolder:
    """Name the folder of the model of *preset* and *seed* trained on *training_set*.

    With *start* it is the one that goes on from the model of that content hash.
    """
    if start is None:
        return _folder(home, training_set, run_name(preset, preset_named(preset).as_text(), seed))
    name = run_name(preset, preset_named(preset).warm.as_text(), seed)
    return _folder(home, training_set, name, start)


def remember_model(home: Home, folder: ModelFolder) -> None:
    """Make *folder* the current model."""
    Pointers(home).model.write(Folder(folder.name))


def current_model(home: Home) -> ModelFolder:
    """Find the model last trained or adopted.

    Raises:
        NoModelError: there is none.
    """
    folder = _last_model(home)
    if folder and folder.is_finished:
        return folder
    raise NoModelError(f"{home.models}: no model has been trained yet. Train one: tastemate train")


def record_of(model: ModelFolder) -> TrainingRecord:
    """Read how *model*, which is no baseline, was trained.

    Raises:
        NoModelError: it does not say.
    """
    record = TrainingRecord.read(model)
    if record is None:
        raise NoModelError(f"{model.training}: is missing. Train a model: tastemate train")
    return record


def training_set_of(home: Home, model: ModelFolder) -> TrainingSet:
    """Find the training set that *model* was trained on, be it an older one than the current.

    Raises:
        NoTrainingSetError: it is gone.
    """
    folder = home.training_sets / model.read_config().training_set_hash[:16]
    if not TrainingSetFolder(folder).manifest.exists():
        raise NoTrainingSetError(
            f"{folder}: the training set that model {model.name} has learned from is gone, as it "
            "is when a person in it was forgotten. Make a new one and train on it: tastemate run"
        )
    return _training_set(folder)


def preset_for(home: Home, training_set: TrainingSet, chosen: str | None = None) -> str:
    """Name the preset for a training on *training_set*: *chosen*, the last one, or by its size.

    The last model's is kept where a person chose it; where its size did, the size chooses again.
    """
    last = _preset_of_last_model(home)
    if last and last.name != fitting(last.events):
        return chosen or last.name
    return chosen or fitting(training_set.manifest.events)


@dataclass(frozen=True)
class _LastPreset:
    """With which preset the last model was made, and on how many events."""

    name: str
    events: int


def _preset_of_last_model(home: Home) -> _LastPreset | None:
    """Find it; None if there is no model, or its preset has no name."""
    folder = _last_model(home)
    record = TrainingRecord.read(folder) if folder else None
    if not (folder and record and record.identity.preset in PRESETS):
        return None
    try:
        events = training_set_of(home, folder).manifest.events
    except NoTrainingSetError:  # gone with somebody who was forgotten
        events = current_training_set(home).manifest.events
    return _LastPreset(record.identity.preset, events)


def has_model(home: Home) -> bool:
    """Tell whether a model has been trained or adopted."""
    folder = _last_model(home)
    return folder is not None and folder.is_finished


def save_baseline(home: Home, training_set: TrainingSet, baseline: "Baseline") -> ModelFolder:
    """Write *baseline*, fitted to *training_set*, as a model folder."""
    folder = home.models / f"{training_set.folder.name}-{baseline.name}"
    baseline.save(folder, training_set.hash)
    return ModelFolder(folder)


def training_facts(model: ModelFolder) -> TrainingFacts:
    """Tell how long *model* was trained; nothing of a baseline, which is not trained."""
    record = TrainingRecord.read(model)
    if record is None:
        return TrainingFacts()
    return TrainingFacts(
        record.epochs, record.best_epoch, record.is_cut_short, record.seconds, record.device
    )


def export_training_set(home: Home, target: Path) -> TrainingSet:
    """Copy the current training set to *target*, for a machine that has nothing but a GPU.

    Raises:
        NoTrainingSetError: there is none yet.
        PlaceError: *target* cannot be written to.
    """
    training_set = current_training_set(home)
    manifest = TrainingSetFolder(training_set.folder).manifest
    files = sorted(training_set.folder.iterdir(), key=lambda path: path == manifest)
    with made_at(target, "--export"):
        target.mkdir(parents=True, exist_ok=True)
        # The manifest last: without it, what was cut off is no training set.
        (target / manifest.name).unlink(missing_ok=True)
        for path in files:
            shutil.copyfile(path, target / path.name)
    return training_set


def adopt(home: Home, source: Path) -> ModelFolder:
    """Take a model trained elsewhere, if it was trained on the current training set.

    What it counts is counted anew here, from the training part alone.

    Raises:
        WrongModelError: *source* holds no model, or one of another training set, or one that may
            have learned what is held out.
    """
    from models_ml.recount import recount

    training_set, made = current_training_set(home), ModelFolder(source)
    record = TrainingRecord.read(made)
    if record is None or not made.is_finished:
        missing = made.training if record is None else made.config
        raise WrongModelError(
            f"{source}: there is no {missing.name}, so no finished training. "
            "Train there first: python -m models_ml.train --data FOLDER --out FOLDER"
        )
    learned = made.read_config().training_set_hash
    if learned != training_set.hash:
        raise WrongModelError(
            f"{made.config}: trained on training set {learned[:16]}, "
            f"but the home's is {training_set.hash[:16]}. "
            "Export it again and train on that: tastemate train --export DIR"
        )
    _refuse_other_part(made, record, training_set)
    run = record.identity
    name = run_name(run.preset, run.settings, int(run.seed))
    folder = _folder(home, training_set, name, run.warm_start)
    # It is exported, and judged beside what is live, here where it is to be served.
    made_there = shutil.ignore_patterns(GRAPH, EXPORT, EVALUATION)
    with new_folder(folder.path) as draft:
        shutil.copytree(source, draft, ignore=made_there, dirs_exist_ok=True)
        try:
            recount(ModelFolder(draft), training_set.folder, training_set.tuned)
        except ModelFolderError as error:
            raise WrongModelError(f"{source}: cannot be adopted: {error}") from error
    remember_model(home, folder)
    return folder


def _refuse_other_part(made: ModelFolder, record: TrainingRecord, ours: TrainingSet) -> None:
    """Refuse a model whose training did not hold out what this version holds out.

    Raises:
        WrongModelError: it says so, or says nothing.
    """
    from models_ml.data.leakage import LearnedBeforeError, LearnedFrom, refuse_what_was_learned
    from models_ml.data.split import split
    from models_ml.data.training_set import read_training_set

    data = read_training_set(ours.folder)
    parts, learned = split(data), record.learned_from or []
    if not learned or learned[-1] != LearnedFrom.of(data, parts):
        raise WrongModelError(
            f"{made.training}: the training held out other events than this version does, so that "
            "the model may have learned what it is to be asked. Install the same version there, "
            "and train again on what 'tastemate train --export DIR' gives."
        )
    try:
        refuse_what_was_learned(ours.folder, parts, learned[:-1])
    except LearnedBeforeError as error:
        raise WrongModelError(f"{made.training}: {error}") from error


def _last_model(home: Home) -> ModelFolder | None:
    last = Pointers(home).model.read()
    return ModelFolder(home.models / last.folder) if last else None


def _training_set(folder: Path) -> TrainingSet:
    return TrainingSet(folder, TrainingSetFolder(folder).read_manifest())


def _folder(
    home: Home, training_set: TrainingSet, run: str, start: str | None = None
) -> ModelFolder:
    began_with = f"-from-{start[:8]}" if start else ""
    return ModelFolder(home.models / f"{training_set.folder.name}-{run}{began_with}")
