"""The gate: what keeps a model from being released."""

from collections.abc import Iterable, Sequence

from models_ml.evaluation.report import (
    CHAMPION,
    MODEL,
    NETWORK,
    TIME,
    AnswerCost,
    BehaviourFigure,
    Comparison,
    Quality,
)

GATE_SPLIT = TIME
SIGNIFICANT = 0.05
SLICE_MARGIN = 0.01
"""So much NDCG@10 a slice may lose against the champion; more, and beyond chance, is too much."""
MOST_MILLISECONDS = 100.0
"""For the scores of one person of 200 events, 95 of 100 times, on one thread."""
MOST_BYTES = 4_000_000_000


def refusals(
    compared: Comparison, behaviours: Sequence[BehaviourFigure], cost: AnswerCost
) -> list[str]:
    """Tell all that speaks against the model; nothing: it passes."""
    return [
        *_no_better_than_baselines(compared),
        *_worse_than_champion(compared),
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
    """Name the baseline of the best NDCG@10; *quality* is that of the gate's split."""
    baselines = baselines_among(quality)
    # In the order of the comparison, so that of equals the same one is best every time.
    return max((who for who in quality if who in baselines), key=lambda who: quality[who].ndcg_10)


def _no_better_than_baselines(compared: Comparison) -> list[str]:
    figures, leads = compared.quality[GATE_SPLIT], compared.model_minus[GATE_SPLIT]
    against = []
    for name in baselines_among(figures):
        lead, told = leads[name], f"{name} {figures[name].ndcg_10:.4f}"
        both = f"NDCG@10 {figures[MODEL].ndcg_10:.4f} on the last tenth of events, {told}"
        if lead.ndcg_10 <= 0:
            against.append(f"no better than {name}: {both}")
        elif lead.p_value > SIGNIFICANT:
            against.append(f"not surely better than {name}: {both}, p {lead.p_value:.3f}")
    return sorted(against)


def _worse_than_champion(compared: Comparison) -> list[str]:
    return [
        f"worse than the champion where {way} is {group} ({figures.n} targets): NDCG@10 "
        f"{figures.ndcg_10[MODEL]:.4f}, champion {figures.ndcg_10[CHAMPION]:.4f}; surely more than "
        f"{SLICE_MARGIN:g} less"
        for way, groups in compared.slices[GATE_SPLIT].items()
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
