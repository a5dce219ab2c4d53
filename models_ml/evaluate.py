"""Evaluate a model beside the baselines: every place ranked, on both splits.

python -m models_ml.evaluate --data FOLDER --model FOLDER --out FILE

A target is asked with up to 200 events strictly before it. Where people hardly
ever return, all places of their history are left out; a request, which sees
200 events, leaves out those. Ties count against
whoever made them, and a place that is unknown to the vocabulary is a miss.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from models_ml.baselines.fit import baselines_of, from_other_starts, tuned_for
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit
from models_ml.beside import Beside
from models_ml.data.training_set import TrainingSetError, read_training_set
from models_ml.evaluation.behaviour import behaviours
from models_ml.evaluation.comparison import compare, sample
from models_ml.evaluation.cost import answer_cost
from models_ml.evaluation.gate import ALPHA, best_baseline, gate_split, refusals
from models_ml.evaluation.memorization import memorization
from models_ml.evaluation.ranking import ask, some_people
from models_ml.evaluation.report import (
    CHAMPION,
    MODEL,
    NETWORK,
    TIME,
    Evaluation,
    GateTerms,
    Memorization,
)
from models_ml.loading import load
from models_ml.metrics import fewer_of_each, gains, target_weights
from models_ml.model_folder import ModelFolder, ModelFolderError
from models_ml.recommender import NetworkModel, Recommender
from models_ml.typed_json import json_text

_FAMILIAR = 2_000
"""So many tell what counting is unsure of, and what a model has seen."""


def evaluate(  # noqa: PLR0913 - what is compared, and what is told
    data: Path,
    model: Path,
    out: Path,
    progress: Callable[[str], None] = lambda _: None,
    *,
    champion: Recommender | None = None,
    served: Recommender | None = None,
    tuned: Path | None = None,
    alpha: float = ALPHA,
) -> Evaluation:
    """Measure *model*, the baselines and the *champion* on *data*; write the evaluation to *out*.

    Where counts answer beside the model's network, ``network`` is the same without them.
    *progress* is told each figure as soon as it is there. The cost is that of *served*, what a
    release of the model answers with, where that is not the model as it is loaded here. What
    tuning the baselines has found is read from the file *tuned*, or kept there. *alpha* is how
    likely a lead may be by chance alone: this judgement's part of a budget, where one is kept.
    """
    training_set = read_training_set(data)
    judged = load(model)
    recommenders: dict[str, Recommender] = {MODEL: judged}
    if isinstance(judged, NetworkModel) and judged.mixture:
        recommenders[NETWORK] = judged.alone()
    fit = Fit(training_set)
    found = tuned_for(fit, tuned)
    for baseline in baselines_of(fit, found):
        recommenders[baseline.name] = baseline
    if champion:
        recommenders[CHAMPION] = champion
    # Both are mostly reckoned outside Python, so that one takes the core that the other leaves.
    linear = next(one for one in recommenders.values() if isinstance(one, LinearBaseline))
    split_name = gate_split(training_set, fit.parts)
    begun = Beside(
        lambda: (
            behaviours(judged, some_people(training_set)),
            *_beside_counting(fit, found, judged, linear, split_name),
        )
    )
    compared = compare(recommenders, training_set, progress)
    tried, least_lead, remembered = begun.result()
    # By itself, for it is timed.
    cost = answer_cost(served or judged, ModelFolder(model))
    terms = GateTerms(split_name, alpha, least_lead)
    against = refusals(compared, terms, remembered, tried, cost)
    evaluation = Evaluation(
        **vars(compared),
        terms=terms,
        best_baseline=best_baseline(compared.quality[split_name]),
        memorization=remembered,
        behaviours=tried,
        cost=cost,
        refusals=against,
        passes=not against,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json_text(evaluation))
    return evaluation


def _beside_counting(
    fit: Fit, found: Tuned, judged: Recommender, linear: LinearBaseline, split_name: str
) -> tuple[float, Memorization | None]:
    """Tell how far counts from other starts differ, and what is remembered, on some targets."""
    parts = fit.parts
    asked = parts.time_targets if split_name == TIME else parts.loo_targets
    asked = fewer_of_each(asked, fit.data.event_users[asked], _FAMILIAR)
    some = sample(asked, _FAMILIAR)
    weights = target_weights(fit.data.event_users[some])
    quality = [
        float(gains(ask(one, fit.data, some).ranks) @ weights) if len(some) else 0.0
        for one in (linear, *from_other_starts(found, linear, fit))
    ]
    return max(quality) - min(quality), memorization(fit, found, judged, linear, some)


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own output


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models_ml.evaluate", description=evaluate.__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="a training set folder")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--champion", type=Path, help="the model folder of what is live")
    parser.add_argument("--out", type=Path, help="default: evaluation.json in the model folder")
    arguments = parser.parse_args()
    out = arguments.out or ModelFolder(arguments.model).evaluation
    try:
        champion = load(arguments.champion) if arguments.champion else None
        report = evaluate(arguments.data, arguments.model, out, _print, champion=champion)
    except (TrainingSetError, ModelFolderError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    _print("passes the gate" if report.passes else "\n".join(["refused:", *report.refusals]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
