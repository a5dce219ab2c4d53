"""Quality as tables for a person: model and baselines on both splits."""

from collections.abc import Mapping, Sequence

from models_ml.evaluation.report import LOO, NETWORK, TIME
from models_ml.figures import RankFigures
from models_ml.typed_json import Scalar

SPLITS = {TIME: "the last tenth of events", LOO: "each user's last event"}
ALONE = "the model without the counts that answer beside it"
"""What `NETWORK` means in a table of quality."""
_METRICS = ["hr_1", "hr_10", "ndcg_10", "mrr", "n"]

Ranks = Mapping[str, RankFigures]
"""Figures by recommender, of one split."""


def best_first(ranks: Ranks) -> list[tuple[str, RankFigures]]:
    """List model and baselines of a split, best NDCG@10 first."""
    return sorted(ranks.items(), key=lambda entry: -entry[1].ndcg_10)


def quality_tables(quality: Mapping[str, Ranks]) -> str:
    """Write both splits' tables for a person."""
    parts = []
    for split, title in SPLITS.items():
        ranked = best_first(quality.get(split, {}))
        # A split in which nothing was asked says nothing of anybody.
        if any(told.n for _, told in ranked):
            rows = [[name, *(getattr(told, one) for one in _METRICS)] for name, told in ranked]
            parts += [
                f"## Quality on {title} (`{split}`)",
                markdown_table(["name", *_METRICS], rows),
            ]
    if any(NETWORK in quality.get(split, {}) for split in SPLITS):
        parts.append(f"{NETWORK}: {ALONE}.")
    return "\n\n".join(parts)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Scalar]]) -> str:
    """Write *rows* as a Markdown table under *columns*."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(map(cell_text, row)) + " |" for row in rows]
    return "\n".join(lines)


def cell_text(value: Scalar) -> str:
    """Write one value of a table for a person."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
