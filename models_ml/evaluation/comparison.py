"""Compare recommenders that are asked the same questions, on both splits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models_ml.data.split import known_events, split
from models_ml.data.training_set import TrainingSet
from models_ml.evaluation.gate import best_baseline, gate_split
from models_ml.evaluation.list_metrics import describe_lists
from models_ml.evaluation.ranking import Answers, ask, ask_with_counts_and_alone
from models_ml.evaluation.report import (
    CHAMPION,
    LOO,
    MODEL,
    NETWORK,
    TIME,
    Comparison,
    HistoryFigures,
    Lead,
    Quality,
    RecommenderFigures,
    SliceFigures,
    Slices,
)
from models_ml.evaluation.slices import is_return, slices_of
from models_ml.figures import Calibration, RankFigures
from models_ml.metrics import (
    bootstrap_mean,
    calibration,
    gains,
    largest_share,
    paired_p_values,
    summary,
    target_weights,
)
from models_ml.recommender import Recommender

MOST_TARGETS = 20_000
_SEED = 0


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
    held_out = {TIME: parts.time_targets, LOO: parts.loo_targets}
    targets = {part: sample(every, most_targets) for part, every in held_out.items()}
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
        # Of all targets, be those that are asked a sample or not.
        share = largest_share(data.event_users[held_out[part]])
        quality[part] = {
            who: replace(told, largest_share=share) for who, told in quality[part].items()
        }
    judged = subject or best_baseline(quality[gate_split(data, parts)])
    for part, asked in targets.items():
        answers = {who: answer.take(places[part]) for who, answer in answered.items()}
        ours = answers[judged]
        others = {who: one for who, one in answers.items() if who != judged}
        leads[part] = _leads(ours, others, data, asked)
        slices[part] = _by_slice(answers, data, asked, counts)
        calibrations[part] = calibration(ours.confidences, ours.ranks == 1)
    return Comparison(
        leads, slices, calibrations, time=quality[TIME], loo=quality[LOO],
        histories=_describe_histories(data),
    )  # fmt: skip


def _describe_histories(data: TrainingSet) -> HistoryFigures:
    """Tell what in the events themselves may make figures mean less than they seem to."""
    follows = (data.event_users[1:] == data.event_users[:-1]) & (data.ats[1:] == data.ats[:-1])
    is_tied = np.zeros(len(data.ats), dtype=bool)
    is_tied[1:] |= follows
    is_tied[:-1] |= follows
    return HistoryFigures(
        tied_share=float(is_tied.mean()) if len(is_tied) else 0.0,
        largest_share=largest_share(data.event_users),
    )


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


def sample(targets: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Draw at most so many *targets*, the same ones each time."""
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
    weights = target_weights(data.event_users[targets])
    overall = replace(
        summary(answers.ranks),
        ndcg_10_capped=float(gains(answers.ranks) @ weights),
    )
    return RecommenderFigures(
        **vars(overall),
        ndcg_10_interval=bootstrap_mean(gains(answers.ranks), data.event_users[targets]),
        new_places=summary(answers.ranks[~returns]),
        new_among_unvisited=summary(answers.unvisited_ranks[~returns]),
        returns=summary(answers.ranks[returns]),
        lists=describe_lists(answers.tops, data.places[targets], data.catalogue, counts),
    )


def _leads(
    ours: Answers, theirs: Mapping[str, Answers], data: TrainingSet, targets: NDArray[np.int64]
) -> dict[str, Lead]:
    """Compare on the same targets; the interval tells whether the difference is more than luck.

    Nobody counts more than `target_weights` lets them.
    """
    users = data.event_users[targets]
    weights = target_weights(users)
    is_first = targets == data.offsets[users]
    differences = {who: gains(ours.ranks) - gains(one.ranks) for who, one in theirs.items()}
    chances = paired_p_values([weights * one for one in differences.values()], users)
    return {
        who: Lead(
            ndcg_10=float(difference @ weights),
            interval=bootstrap_mean(difference, users, weights),
            p_value=chance,
            without_history=float(difference[is_first] @ weights[is_first]),
        )
        for (who, difference), chance in zip(differences.items(), chances, strict=True)
    }


def _by_slice(
    answers: Mapping[str, Answers],
    data: TrainingSet,
    targets: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Slices:
    users = data.event_users[targets]
    weights = target_weights(users)
    return {
        way: {group: _slice(answers, mask, users, weights) for group, mask in groups.items()}
        for way, groups in slices_of(data, targets, counts).items()
    }


def _slice(
    answers: Mapping[str, Answers],
    mask: NDArray[np.bool_],
    users: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> SliceFigures:
    gained = {who: gains(one.ranks[mask]) for who, one in answers.items()}
    weights = weights[mask] / weights[mask].sum()
    return SliceFigures(
        n=int(mask.sum()),
        ndcg_10={who: float(values @ weights) for who, values in gained.items()},
        model_minus_champion=bootstrap_mean(gained[MODEL] - gained[CHAMPION], users[mask], weights)
        if CHAMPION in gained
        else None,
    )


def _figures(part: str, who: str, ranks: RankFigures) -> str:
    told = {"ndcg_10": ranks.ndcg_10, "hr_10": ranks.hr_10, "mrr": ranks.mrr}
    figures = "  ".join(f"{name} {value:.4f}" for name, value in told.items())
    return f"{part:5}{who:14} {figures}  n {ranks.n}"
