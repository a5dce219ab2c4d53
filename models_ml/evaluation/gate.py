"""The gate: what keeps a model from being released."""

from collections.abc import Iterable, Sequence

from models_ml.data.split import Split
from models_ml.data.training_set import TrainingSet
from models_ml.evaluation.report import (
    ASKED_ON,
    CHAMPION,
    LOO,
    MODEL,
    NETWORK,
    TIME,
    AnswerCost,
    BehaviourFigure,
    Comparison,
    GateTerms,
    Memorization,
    Quality,
)

ALPHA = 0.005
"""For a single judgement, where nobody keeps account of others."""
_NOTHING_TO_ASK = (
    "nothing is held out by which a model could be judged: nobody has three events or more, and "
    "none lies after the cut"
)
_SURELY = 1.645
"""Standard errors, one-sided."""
SLICE_MARGIN = 0.01
"""So much NDCG@10 a slice may lose against the champion; more, and beyond chance, is too much."""
MOST_MILLISECONDS = 100.0
"""For the scores of one person of 200 events, 95 of 100 times, on one thread."""
MOST_BYTES = 4_000_000_000


def gate_split(data: TrainingSet, parts: Split) -> str:
    """Name the split that is asked: `TIME`, or the other where it has no targets.

    `LOO` comes first where times are made up, for their last tenth is of who has the longest list.
    """
    targets = {TIME: len(parts.time_targets), LOO: len(parts.loo_targets)}
    first, second = (LOO, TIME) if data.is_time_synthetic else (TIME, LOO)
    return second if targets[second] and not targets[first] else first


def refusals(
    compared: Comparison,
    terms: GateTerms,
    memorization: Memorization | None,
    behaviours: Sequence[BehaviourFigure],
    cost: AnswerCost,
) -> list[str]:
    """Tell all that speaks against the model; nothing: it passes."""
    return [
        *_no_better_than_baselines(compared, terms),
        *_worse_than_champion(compared, terms),
        *_has_seen_its_targets(memorization),
        *(
            f"{told.name}: {told.claim}: {told.value:.3f}, asked are {told.least:g}"
            for told in behaviours
            if not told.passed
        ),
        *_too_dear(cost),
    ]


def baselines_among(names: Iterable[str]) -> set[str]:
    """Return those *names* of a comparison that are no model's."""
    return set(names) - {MODEL, NETWORK, CHAMPION}


def best_baseline(quality: Quality) -> str:
    """Name the baseline that is judged best; *quality* is that of the gate's split."""
    baselines = baselines_among(quality)
    # In the order of the comparison, so that of equals the same one is best every time.
    return max((who for who in quality if who in baselines), key=lambda who: quality[who].judged)


def _no_better_than_baselines(compared: Comparison, terms: GateTerms) -> list[str]:
    figures, leads = compared.quality[terms.split], compared.model_minus[terms.split]
    if not figures[MODEL].n:
        return [_NOTHING_TO_ASK]
    against = []
    for name in baselines_among(figures):
        lead, told = leads[name], f"{name} {figures[name].judged:.4f}"
        both = f"NDCG@10 {figures[MODEL].judged:.4f} {ASKED_ON[terms.split]}, {told}"
        if lead.ndcg_10 <= 0:
            against.append(f"no better than {name}: {both}")
        elif lead.p_value > terms.alpha:
            against.append(
                f"not surely better than {name}: {both}, p {lead.p_value:.4f}, "
                f"at most {terms.alpha:.2g} is asked"
            )
        elif lead.ndcg_10 <= terms.least_lead:
            against.append(
                f"hardly better than {name}: {both}; counts tuned from other starts differ by "
                f"{terms.least_lead:.4f}, more is asked"
            )
    return sorted(against)


def _has_seen_its_targets(memorization: Memorization | None) -> list[str]:
    # Where counting does not surely remember anything there is nothing to measure by.
    if memorization is None or memorization.counting <= _SURELY * memorization.error:
        return []
    if memorization.model >= memorization.least:
        return []
    told = (
        "seems to have seen what it is asked: beside counts that have seen neither, it foretells "
        f"learned events better than held-out ones by {memorization.model:+.4f}, counting by "
        f"{memorization.counting:+.4f}; at least {memorization.least:+.4f} is asked"
    )
    return [told]


def _worse_than_champion(compared: Comparison, terms: GateTerms) -> list[str]:
    return [
        f"worse than the champion where {way} is {group} ({figures.n} targets): NDCG@10 "
        f"{figures.ndcg_10[MODEL]:.4f}, champion {figures.ndcg_10[CHAMPION]:.4f}; surely more than "
        f"{SLICE_MARGIN:g} less"
        for way, groups in compared.slices[terms.split].items()
        for group, figures in groups.items()
        if figures.model_minus_champion and figures.model_minus_champion.high < -SLICE_MARGIN
    ]


def _too_dear(cost: AnswerCost) -> list[str]:
    against = []
    if cost.p95_ms > MOST_MILLISECONDS:
        against.append(f"{cost.p95_ms:.0f} ms for one answer, {MOST_MILLISECONDS:.0f} are allowed")
    if cost.bytes > MOST_BYTES:
        against.append(f"{cost.bytes:,} bytes, {MOST_BYTES:,} are allowed")
    return against
