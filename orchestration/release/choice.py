"""Which model becomes a release: the one that passed the gate, what is live, or a baseline."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_ml.evaluation.gate import CHAMPION
from orchestration.home.atomic_files import read_json
from orchestration.model import store as model_store
from orchestration.release.live import kept_by_hand
from serving import champion
from serving.home import Home
from serving.release import ReleaseError, open_release


@dataclass(frozen=True)
class Choice:
    """What is to go live, and why: a folder to pack, or the release that stays."""

    reason: str
    folder: Path | None = None
    stays: str | None = None


def choose(home: Home) -> Choice:
    """Choose the model if it passed the gate, else what is live, else the best baseline.

    A baseline that is live is counted anew where that is no worse, so that it does not age while
    one model after the other is refused. A release that was promoted by hand stays until another
    model has been trained.
    """
    folder = model_store.current_model(home)
    held = kept_by_hand(home)
    if held:
        return Choice("promoted by hand, and no other model has been trained since", stays=held)
    found = json.loads((folder / "evaluation.json").read_text())
    if "refusals" not in found:
        raise ReleaseError(
            f"{folder / 'evaluation.json'}: an earlier version wrote it, and it does not say all "
            "that the gate asks. Evaluate again: tastemate evaluate"
        )
    best = found["best_baseline"]
    ours = _ndcg(found, "model")
    margin = found["model_minus"]["time"][best]["interval"]
    compared = (
        f"NDCG@10 {ours:.4f} on the last tenth of events, {best} {_ndcg(found, best):.4f} "
        f"(difference {margin['low']:+.4f} to {margin['high']:+.4f} with 95 % confidence)"
    )
    if found["passes"]:
        return Choice(f"passes the gate: {compared}", folder=folder)
    refused = f"the new model is refused: {'; '.join(found['refusals'])}"
    if not home.champion.exists():
        return Choice(refused, folder=_baseline_folder(home, best))
    live = champion.read(home).release_id
    if not _has_aged(home, live, found):
        return Choice(refused, stays=live)
    return Choice(
        f"{refused}; {best}, counted anew, is no worse than the baseline that was live",
        folder=_baseline_folder(home, best),
    )


def _has_aged(home: Home, live: str, evaluation: dict[str, Any]) -> bool:
    """Tell whether *live* is a baseline, counted on other events, that a new one may replace."""
    release = open_release(home.releases / live)
    of_model = read_json(model_store.current_model(home) / "config.json")
    if (
        release.kind == "model"
        or release.card["training_set_hash"] == of_model["training_set_hash"]
    ):
        return False
    # One of an earlier version cannot be asked any more.
    asked = evaluation["time"].get(CHAMPION)
    return not asked or _ndcg(evaluation, evaluation["best_baseline"]) >= asked["ndcg_10"]


def _baseline_folder(home: Home, name: str) -> Path:
    """Write the baseline *name*, fitted to what the model learned from, as a model folder."""
    from models_ml.baselines.fit import fit_baselines
    from models_ml.data.training_set import read_training_set

    training_set = model_store.training_set_of(home, model_store.current_model(home))
    fitted = fit_baselines(read_training_set(training_set.folder))
    folder = home.models / f"{training_set.folder.name}-{name}"
    next(one for one in fitted if one.name == name).save(folder, training_set.hash)
    return folder


def _ndcg(evaluation: dict[str, Any], name: str) -> float:
    return float(evaluation["time"][name]["ndcg_10"])
