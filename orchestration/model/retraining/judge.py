"""The verdict on a home: what its newest training set and its model call for, by its policy."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models_ml.presets import PRESETS, preset_named
from orchestration.home.atomic_files import read_json, write_atomically
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
    except NoModelError:
        return Verdict.anew("there is no model yet")
    training = json.loads((model / "training.json").read_text())
    identity = training["identity"]
    if wish.preset and (wish.preset, str(wish.seed)) != (identity["preset"], identity["seed"]):
        return Verdict.anew(f"preset {wish.preset} with seed {wish.seed} was asked for")
    if identity["training_set_hash"] == newest.hash:
        return Verdict.keep("the model has learned from this very training set")
    try:
        held = model_store.training_set_of(home, model)
    except NoTrainingSetError:
        return Verdict.anew("what the last model learned from is gone, for a person was forgotten")
    return decide(policy, _last(model, training), _figures(held, newest, model))


def remember(home: Home, run_id: str, verdict: Verdict) -> None:
    """Keep what was decided in the run *run_id*."""
    kept = {"run_id": run_id, **verdict.as_json()}
    write_atomically(home.last_verdict, json.dumps(kept, indent=2))


def remembered(home: Home, run_id: str) -> dict[str, Any] | None:
    """Read what was decided in the run *run_id*, as the run report has it; None: nothing was."""
    kept = read_json(home.last_verdict)
    if not kept or kept.pop("run_id") != run_id:
        return None
    return dict(kept)


def _figures(held: TrainingSet, newest: TrainingSet, model: Path) -> Figures:
    age = _moment(newest, "as_of") - _moment(held, "as_of")
    return compare(
        held.folder,
        newest.folder,
        model,
        cut_at=_moment(newest, "cut_at"),
        age_days=age.total_seconds() / 86400,
    )


def _moment(training_set: TrainingSet, name: str) -> datetime:
    return datetime.fromisoformat(training_set.manifest[name])


def _last(model: Path, training: dict[str, Any]) -> LastModel:
    evaluation = read_json(model / "evaluation.json")
    return LastModel(
        trainings=len(training.get("learned_from", ())),
        refused=bool(evaluation) and not evaluation["passes"],
        changed=_changed(training["identity"]),
    )


def _changed(identity: dict[str, str]) -> str:
    name = identity["preset"]
    if name not in PRESETS:
        return f"its preset {name} is none of this version's"
    preset = preset_named(name)
    is_same = identity["settings"] in {preset.as_text(), preset.warm.as_text()}
    return "" if is_same else f"its preset {name} has other settings now"
