"""Evaluate a model beside the baselines: every place ranked, on both splits.

python -m models_ml.evaluate --data FOLDER --model FOLDER --out FILE

A target is asked with up to 200 events strictly before it. Where people hardly
ever return, all places of their history are left out; a request, which sees
200 events, leaves out those. Ties count against
whoever made them, and a place that is unknown to the vocabulary is a miss.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.fit import baselines_of, from_other_starts, tuned_for
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit
from models_ml.beside import Beside
from models_ml.data.split import known_events, split
from models_ml.data.training_set import TrainingSet, TrainingSetError, read_training_set
from models_ml.evaluation.behaviour import behaviours
from models_ml.evaluation.cost import answer_cost
from models_ml.evaluation.gate import ALPHA, best_baseline, gate_split, refusals
from models_ml.evaluation.list_metrics import describe_lists
from models_ml.evaluation.memory import memory
from models_ml.evaluation.ranking import (
    Answers,
    ask,
    ask_with_counts_and_alone,
    some_people,
)
from models_ml.evaluation.report import (
    CHAMPION,
    LOO,
    MODEL,
    NETWORK,
    TIME,
    Comparison,
    Evaluation,
    GateTerms,
    Lead,
    Memory,
    Quality,
    RecommenderFigures,
    SliceFigures,
    Slices,
)
from models_ml.evaluation.slices import is_return, slices_of
from models_ml.figures import Calibration, RankFigures
from models_ml.loading import load
from models_ml.metrics import bootstrap_mean, calibration, gains, paired_p_values, summary
from models_ml.model_folder import ModelFolder, ModelFolderError
from models_ml.recommender import NetworkModel, Recommender
from models_ml.typed_json import json_text

MOST_TARGETS = 20_000
_FAMILIAR = 3_000
"""So many tell what counting is unsure of, and what a model has seen."""
_SEED = 0


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
    split_name = gate_split(
        is_time_synthetic=training_set.is_time_synthetic, time_targets=len(fit.parts.time_targets)
    )
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
        memory=remembered,
        behaviours=tried,
        cost=cost,
        refusals=against,
        passes=not against,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json_text(evaluation))
    return evaluation


def compare(
    recommenders: Mapping[str, Recommender],
    data: TrainingSet,
    progress: Callable[[str], None] = lambda _: None,
    *,
    most_targets: int = MOST_TARGETS,
    subject: str | None = MODEL,
) -> Comparison:
    """Ask *recommenders* the same questions, and tell how *subject* differs from the others.

    Of more than *most_targets* in a split a sample is asked. Without a *subject* it is the best
    baseline among them.
    """
    parts = split(data)
    counts = np.bincount(data.places[known_events(data, parts)], minlength=len(data.catalogue))
    quality: dict[str, Quality] = {}
    leads: dict[str, dict[str, Lead]] = {}
    slices: dict[str, Slices] = {}
    calibrations: dict[str, Calibration] = {}
    targets = {
        TIME: _sample(parts.time_targets, most_targets),
        LOO: _sample(parts.loo_targets, most_targets),
    }
    # Most last events are among the last tenth, too, and what is asked before each is the same.
    every = np.unique(np.concatenate(list(targets.values())))
    places = {part: np.searchsorted(every, asked) for part, asked in targets.items()}
    answered: dict[str, Answers] = {}
    for who, answer in _each(recommenders, data, every):
        answered[who] = answer
        for part, chosen in places.items():
            if len(chosen):
                progress(_figures(part, who, summary(answer.ranks[chosen])))
    for part, asked in targets.items():
        returns = is_return(data, asked)
        quality[part] = {
            who: _describe(answer.take(places[part]), data, asked, counts, returns)
            for who, answer in answered.items()
        }
    split_name = gate_split(
        is_time_synthetic=data.is_time_synthetic, time_targets=len(parts.time_targets)
    )
    judged = subject or best_baseline(quality[split_name])
    for part, asked in targets.items():
        answers = {who: answer.take(places[part]) for who, answer in answered.items()}
        ours = answers[judged]
        others = {who: one for who, one in answers.items() if who != judged}
        leads[part] = _leads(ours, others, data, asked)
        slices[part] = _by_slice(answers, data, asked, counts)
        calibrations[part] = calibration(ours.confidences, ours.ranks == 1)
    return Comparison(leads, slices, calibrations, time=quality[TIME], loo=quality[LOO])


def _beside_counting(
    fit: Fit, found: Tuned, judged: Recommender, linear: LinearBaseline, split_name: str
) -> tuple[float, Memory | None]:
    """Tell how far counts from other starts differ, and what is remembered, on some targets."""
    parts = fit.parts
    targets = parts.time_targets if split_name == TIME else parts.loo_targets
    some = _sample(targets, _FAMILIAR)
    quality = [
        gains(ask(one, fit.data, some).ranks).mean() if len(some) else 0.0
        for one in (linear, *from_other_starts(found, linear, fit))
    ]
    return float(max(quality) - min(quality)), memory(fit, found, judged, linear, some)


def _each(
    recommenders: Mapping[str, Recommender], data: TrainingSet, targets: NDArray[np.int64]
) -> Iterator[tuple[str, Answers]]:
    """Ask one after the other; a network with and without its counts is run once."""
    from models_ml.torch_model import TrainedModel

    judged, asked = recommenders.get(MODEL), dict(recommenders)
    if NETWORK in asked and isinstance(judged, TrainedModel):
        del asked[MODEL], asked[NETWORK]
        yield from zip(
            (MODEL, NETWORK), ask_with_counts_and_alone(judged, data, targets), strict=True
        )
    for who, recommender in asked.items():
        yield who, ask(recommender, data, targets)


def _sample(targets: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    if len(targets) <= most:
        return targets
    generator = np.random.default_rng(_SEED)
    return np.sort(generator.choice(targets, most, replace=False))


def _describe(
    answers: Answers,
    data: TrainingSet,
    targets: NDArray[np.int64],
    counts: NDArray[np.int64],
    returns: NDArray[np.bool_],
) -> RecommenderFigures:
    """Sum up ranks and lists: of all targets, of places new to the person, of returns."""
    return RecommenderFigures(
        **vars(summary(answers.ranks)),
        ndcg_10_interval=bootstrap_mean(gains(answers.ranks), data.event_users[targets]),
        new_places=summary(answers.ranks[~returns]),
        new_among_unvisited=summary(answers.unvisited_ranks[~returns]),
        returns=summary(answers.ranks[returns]),
        lists=describe_lists(answers.tops, data.places[targets], data.catalogue, counts),
    )


def _leads(
    ours: Answers, theirs: Mapping[str, Answers], data: TrainingSet, targets: NDArray[np.int64]
) -> dict[str, Lead]:
    """Compare on the same targets; the interval tells whether the difference is more than luck."""
    users = data.event_users[targets]
    is_first = targets == data.offsets[users]
    differences = {who: gains(ours.ranks) - gains(one.ranks) for who, one in theirs.items()}
    chances = paired_p_values(list(differences.values()), users)
    return {
        who: Lead(
            ndcg_10=float(difference.mean()) if len(difference) else 0.0,
            interval=bootstrap_mean(difference, users),
            p_value=chance,
            without_history=float(difference[is_first].sum() / max(1, len(difference))),
        )
        for (who, difference), chance in zip(differences.items(), chances, strict=True)
    }


def _by_slice(
    answers: Mapping[str, Answers],
    data: TrainingSet,
    targets: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Slices:
    return {
        way: {
            group: _slice(answers, mask, data.event_users[targets])
            for group, mask in groups.items()
        }
        for way, groups in slices_of(data, targets, counts).items()
    }


def _slice(
    answers: Mapping[str, Answers], mask: NDArray[np.bool_], users: NDArray[np.int64]
) -> SliceFigures:
    gained = {who: gains(one.ranks[mask]) for who, one in answers.items()}
    return SliceFigures(
        n=int(mask.sum()),
        ndcg_10={who: float(values.mean()) for who, values in gained.items()},
        model_minus_champion=bootstrap_mean(gained[MODEL] - gained[CHAMPION], users[mask])
        if CHAMPION in gained
        else None,
    )


def _figures(part: str, who: str, ranks: RankFigures) -> str:
    told = {"ndcg_10": ranks.ndcg_10, "hr_10": ranks.hr_10, "mrr": ranks.mrr}
    figures = "  ".join(f"{name} {value:.4f}" for name, value in told.items())
    return f"{part:5}{who:14} {figures}  n {ranks.n}"


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
