"""The verdict on a home: what its newest training set and its model call for, by its policy."""

from dataclasses import dataclass
from datetime import datetime

from models_ml.evaluation.report import Evaluation, EvaluationError
from models_ml.model_folder import ModelFolder
from models_ml.presets import PRESETS, preset_named
from models_ml.training.record import Identity, TrainingRecord
from orchestration.home.state_files import StateFile
from orchestration.model import store as model_store
from orchestration.model.retraining.figures import Figures, compare
from orchestration.model.retraining.policy import load_policy, policy_file
from orchestration.model.retraining.verdict import LastModel, Verdict, decide
from orchestration.model.store import NoModelError, NoTrainingSetError, TrainingSet
from serving.home import Home


@dataclass(frozen=True)
class Wish:
    """What a person asked for; without a preset any model will do.

    anew  train from scratch, whatever the policy says
    """

    preset: str | None = None
    seed: int = 0
    anew: bool = False


def judge(home: Home, wish: Wish) -> Verdict:
    """Judge whether to train on the home's newest training set, and why.

    Raises:
        NoTrainingSetError: there is none.
        PolicyError: the policy cannot be used.
    """
    policy = load_policy(policy_file(home))
    newest = model_store.current_training_set(home)
    if wish.anew:
        return Verdict.anew("it was asked for")
    try:
        model = model_store.current_model(home)
        record = model_store.record_of(model)
    except NoModelError:
        return Verdict.anew("there is no model yet")
    identity = record.identity
    if wish.preset and (wish.preset, str(wish.seed)) != (identity.preset, identity.seed):
        return Verdict.anew(f"preset {wish.preset} with seed {wish.seed} was asked for")
    if identity.training_set_hash == newest.hash:
        return Verdict.keep("the model has learned from this very training set")
    try:
        held = model_store.training_set_of(home, model)
    except NoTrainingSetError:
        return Verdict.anew("what the last model learned from is gone, for a person was forgotten")
    return decide(policy, _last(model, record), _figures(held, newest, model))


def remember(home: Home, run_id: str, verdict: Verdict) -> None:
    """Keep what was decided in the run *run_id*."""
    _kept(home).write(_Decision(run_id, **vars(verdict)))


def remembered(home: Home, run_id: str) -> Verdict | None:
    """Read what was decided in the run *run_id*; None: nothing was."""
    kept = _kept(home).read()
    if kept is None or kept.run_id != run_id:
        return None
    return Verdict(kept.retrain, kept.from_scratch, kept.reasons, kept.figures)


@dataclass(frozen=True)
class _Decision:
    """A verdict, and the run that reached it."""

    run_id: str
    retrain: bool
    from_scratch: bool
    reasons: list[str]
    figures: Figures | None = None


def _kept(home: Home) -> StateFile[_Decision]:
    return StateFile(home.last_verdict, _Decision)


def _figures(held: TrainingSet, newest: TrainingSet, model: ModelFolder) -> Figures:
    age = _moment(newest.manifest.as_of) - _moment(held.manifest.as_of)
    return compare(
        held.folder,
        newest.folder,
        model,
        cut_at=_moment(newest.manifest.cut_at),
        age_days=age.total_seconds() / 86400,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _last(model: ModelFolder, record: TrainingRecord) -> LastModel:
    return LastModel(
        trainings=len(record.learned_from or ()),
        refused=_is_refused(model),
        changed=_changed(record.identity),
    )


def _is_refused(model: ModelFolder) -> bool:
    try:
        return not Evaluation.read(model).passes
    except EvaluationError:  # it was not judged, or by a version that asked less
        return False


def _changed(identity: Identity) -> str:
    name = identity.preset
    if name not in PRESETS:
        return f"its preset {name} is none of this version's"
    preset = preset_named(name)
    is_same = identity.settings in {preset.as_text(), preset.warm.as_text()}
    return "" if is_same else f"its preset {name} has other settings now"
