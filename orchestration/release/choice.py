"""Which model becomes a release: the one that passed the gate, what is live, or a baseline."""

from dataclasses import dataclass

from models_ml.evaluation.report import ASKED_ON, CHAMPION, MODEL, Evaluation
from models_ml.model_folder import ModelFolder
from orchestration.model import store as model_store
from orchestration.release.live import kept_by_hand
from serving import champion
from serving.home import Home
from serving.release import open_release


@dataclass(frozen=True)
class Choice:
    """What is to go live, and why: a folder to pack, or the release that stays."""

    reason: str
    folder: ModelFolder | None = None
    stays: str | None = None


def choose(home: Home) -> Choice:
    """Choose the model if it passed the gate, else what is live, else the best baseline.

    A baseline that is live is counted anew where that is no worse, so that it does not age while
    one model after the other is refused. A release that was promoted by hand stays until another
    model has been trained.

    Raises:
        EvaluationError: the model was not judged, or by an earlier version.
    """
    folder = model_store.current_model(home)
    held = kept_by_hand(home)
    if held:
        return Choice("promoted by hand, and no other model has been trained since", stays=held)
    judged = Evaluation.read(folder)
    if judged.passes:
        return Choice(f"passes the gate: {_compared(judged)}", folder=folder)
    best = judged.best_baseline
    refused = f"the new model is refused: {'; '.join(judged.refusals)}"
    if not home.champion.exists():
        return Choice(refused, folder=_baseline_folder(home, best))
    live = champion.read(home).release_id
    if not _has_aged(home, live, judged):
        return Choice(f"stays live, for {refused}", stays=live)
    return Choice(
        f"{refused}; {best}, counted anew, is no worse than the baseline that was live",
        folder=_baseline_folder(home, best),
    )


def _compared(judged: Evaluation) -> str:
    best, split = judged.best_baseline, judged.terms.split
    lead, figures = judged.model_minus[split][best], judged.quality[split]
    return (
        f"NDCG@10 {figures[MODEL].judged:.4f} {ASKED_ON[split]}, {best} "
        f"{figures[best].judged:.4f} (difference {lead.interval.low:+.4f} to "
        f"{lead.interval.high:+.4f} with 95 % confidence; of {lead.ndcg_10:+.4f} people without a "
        f"history are {lead.without_history:+.4f})"
    )


def _has_aged(home: Home, live: str, judged: Evaluation) -> bool:
    """Tell whether *live* is a baseline, counted on other events, that a new one may replace."""
    release = open_release(home.releases / live)
    learned = model_store.current_model(home).read_config().training_set_hash
    if release.kind == "model" or release.card.training_set_hash == learned:
        return False
    # One of an earlier version cannot be asked any more.
    figures = judged.quality[judged.terms.split]
    asked = figures.get(CHAMPION)
    return not asked or figures[judged.best_baseline].judged >= asked.judged


def _baseline_folder(home: Home, name: str) -> ModelFolder:
    """Write the baseline *name*, fitted to what the model learned from, as a model folder."""
    from models_ml.baselines.fit import fit_baselines
    from models_ml.data.training_set import read_training_set

    training_set = model_store.training_set_of(home, model_store.current_model(home))
    fitted = fit_baselines(read_training_set(training_set.folder), training_set.tuned)
    baseline = next(one for one in fitted if one.name == name)
    return model_store.save_baseline(home, training_set, baseline)
