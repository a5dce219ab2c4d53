"""The first answer: the best baseline goes live before the first model has learned."""

from typing import TYPE_CHECKING

from models_ml.presets import preset_named
from orchestration.home.console import say
from orchestration.model import store as model_store
from serving import champion
from serving.home import Home

if TYPE_CHECKING:
    from models_ml.recommender import Recommender

LONG = 2_000_000
"""Of a training that reads more events than this, people need not wait: a minute on two cores."""


def reason_against(home: Home, preset: str | None) -> str:
    """Say why no baseline is to go live before the training with *preset*; empty: one is.

    Raises:
        NoTrainingSetError: there is nothing to train on.
    """
    if home.champion.exists():
        return "something is live"
    if model_store.has_model(home):
        return "a model has been trained already"
    if _events_read(home, preset) <= LONG:
        return "the first model takes less than about a minute"
    return ""


def answer_first(home: Home) -> champion.Champion:
    """Fit what counts to the current training set, and make the best of it live.

    Raises:
        NoTrainingSetError: there is nothing to fit them to.
    """
    from models_ml.baselines.fit import fit_counts
    from models_ml.data.split import split
    from models_ml.data.training_set import read_training_set
    from models_ml.evaluation.comparison import compare
    from models_ml.evaluation.gate import best_baseline, gate_split
    from orchestration.release.pack import Evidence, build_index, pack_folder
    from serving import bento

    training_set = model_store.current_training_set(home)
    data = read_training_set(training_set.folder)
    fitted = {one.name: one for one in fit_counts(data, training_set.tuned)}
    asked: dict[str, Recommender] = {**fitted}
    compared = compare(asked, data, say, subject=None)
    best = best_baseline(compared.quality[gate_split(data, split(data))])
    reason = f"the best of what counts ({best}), until the first model is judged"
    folder = model_store.save_baseline(home, training_set, fitted[best])
    packed = pack_folder(home, folder, reason, Evidence(training_set.manifest, compared, best))
    index = build_index(home, packed)
    bento.build(home, packed.release_id)
    return champion.promote(home, packed.release_id, index.index_id, reason)


def _events_read(home: Home, preset: str | None) -> int:
    """Count the events that the coming training reads at most, each as often as it is read."""
    training_set = model_store.current_training_set(home)
    schedule = preset_named(model_store.preset_for(home, training_set, preset))
    return min(schedule.max_events, schedule.epochs * training_set.manifest.events)
