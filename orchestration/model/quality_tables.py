"""Quality as tables for a person: model and baselines on both splits."""

from collections.abc import Mapping, Sequence

from models_ml.evaluation.report import ASKED_ON, LOO, NETWORK, TIME, HistoryFigures
from models_ml.figures import RankFigures
from models_ml.typed_json import Scalar

SPLITS = {TIME: "the last tenth of events", LOO: "each user's last event"}
ALONE = "the model without the counts that answer beside it"
"""What `NETWORK` means in a table of quality."""
_METRICS = ["hr_1", "hr_10", "ndcg_10", "mrr", "n"]
_CAPPED = "ndcg_10_capped"
_TOLD_APART = 5e-5
"""Figures are told with four digits."""
_TOO_MUCH = 0.1
"""A person who makes more of the events or of the targets than this is to be looked at."""

Ranks = Mapping[str, RankFigures]
"""Figures by recommender, of one split."""


def best_first(ranks: Ranks) -> list[tuple[str, RankFigures]]:
    """List model and baselines of a split, best NDCG@10 first."""
    return sorted(ranks.items(), key=lambda entry: -entry[1].ndcg_10)


def metrics_of(ranks: Ranks) -> list[str]:
    """Name the figures of a split's table: what is judged as well, where it is another."""
    differs = any(abs(told.judged - told.ndcg_10) >= _TOLD_APART for told in ranks.values())
    return [*_METRICS[:3], *([_CAPPED] if differs else []), *_METRICS[3:]]


def warnings_of(quality: Mapping[str, Ranks], histories: HistoryFigures | None) -> list[str]:
    """Say where one person makes too much of what is learned or asked."""
    told = []
    if histories and histories.largest_share > _TOO_MUCH:
        told.append(f"One person makes {histories.largest_share:.1%} of the events.")
    # Of the other split everybody has one target.
    asked = quality.get(TIME, {}).values()
    share = max((one.largest_share or 0.0 for one in asked), default=0.0)
    if share > _TOO_MUCH:
        told.append(
            f"One person makes {share:.1%} of what is asked {ASKED_ON[TIME]}; the gate goes by "
            f"{_CAPPED}, in which nobody counts for so much."
        )
    if told:
        told.append("What to do: docs/how-to/limit-what-one-person-counts.md.")
    return told


def quality_notes(quality: Mapping[str, Ranks], histories: HistoryFigures | None) -> list[str]:
    """Say what in the events may make figures mean less than they seem to."""
    notes = warnings_of(quality, histories)
    if histories and histories.tied_share:
        notes.append(
            f"{histories.tied_share:.1%} of the events happened at the same moment as another of "
            "their person; what orders those tells nothing of them."
        )
    return notes


def quality_tables(quality: Mapping[str, Ranks], histories: HistoryFigures | None = None) -> str:
    """Write both splits' tables for a person."""
    parts = []
    for split, title in SPLITS.items():
        ranked = best_first(quality.get(split, {}))
        # A split in which nothing was asked says nothing of anybody.
        if any(told.n for _, told in ranked):
            metrics = metrics_of(quality[split])
            rows = [[name, *(getattr(told, one) for one in metrics)] for name, told in ranked]
            parts += [
                f"## Quality on {title} (`{split}`)",
                markdown_table(["name", *metrics], rows),
            ]
    if any(NETWORK in quality.get(split, {}) for split in SPLITS):
        parts.append(f"{NETWORK}: {ALONE}.")
    parts += [" ".join(notes)] if (notes := quality_notes(quality, histories)) else []
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
