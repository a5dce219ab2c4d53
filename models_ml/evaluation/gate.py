"""The gate: what keeps a model from being released."""

from collections.abc import Iterable
from typing import Any

GATE_SPLIT = "time"
MODEL, NETWORK, CHAMPION = "model", "network", "champion"
"""What is judged; the same without the counts that answer beside its network; what is live."""

SIGNIFICANT = 0.05
SLICE_MARGIN = 0.01
"""So much NDCG@10 a slice may lose against the champion; more, and beyond chance, is too much."""
MOST_MILLISECONDS = 100.0
"""For the scores of one person of 200 events, 95 of 100 times, on one thread."""
MOST_BYTES = 4_000_000_000


def refusals(report: dict[str, Any]) -> list[str]:
    """Tell all that speaks against the model of `models_ml.evaluate`'s *report*; nothing: pass."""
    return [
        *_no_better_than_baselines(report),
        *_worse_than_champion(report),
        *(
            f"{told['name']}: {told['claim']}: {told['value']:.3f}, asked are {told['least']:g}"
            for told in report["behaviours"]
            if not told["passed"]
        ),
        *_too_dear(report["cost"]),
    ]


def baselines_among(names: Iterable[str]) -> set[str]:
    """Return those *names* of a report that are no model's."""
    return set(names) - {MODEL, NETWORK, CHAMPION}


def _no_better_than_baselines(report: dict[str, Any]) -> list[str]:
    figures, leads = report[GATE_SPLIT], report["model_minus"][GATE_SPLIT]
    found = []
    for name in baselines_among(figures):
        lead, told = leads[name], f"{name} {figures[name]['ndcg_10']:.4f}"
        compared = f"NDCG@10 {figures[MODEL]['ndcg_10']:.4f} on the last tenth of events, {told}"
        if lead["ndcg_10"] <= 0:
            found.append(f"no better than {name}: {compared}")
        elif lead["p_value"] > SIGNIFICANT:
            found.append(f"not surely better than {name}: {compared}, p {lead['p_value']:.3f}")
    return sorted(found)


def _worse_than_champion(report: dict[str, Any]) -> list[str]:
    return [
        f"worse than the champion where {way} is {group} ({told['n']} targets): NDCG@10 "
        f"{told['ndcg_10'][MODEL]:.4f}, champion {told['ndcg_10'][CHAMPION]:.4f}; surely more than "
        f"{SLICE_MARGIN:g} less"
        for way, groups in report["slices"][GATE_SPLIT].items()
        for group, told in groups.items()
        if "model_minus_champion" in told and told["model_minus_champion"]["high"] < -SLICE_MARGIN
    ]


def _too_dear(cost: dict[str, Any]) -> list[str]:
    found = []
    if cost["p95_ms"] > MOST_MILLISECONDS:
        found.append(f"{cost['p95_ms']:.0f} ms for one answer, {MOST_MILLISECONDS:.0f} are allowed")
    if cost["bytes"] > MOST_BYTES:
        found.append(f"{cost['bytes']:,} bytes, {MOST_BYTES:,} are allowed")
    return found
