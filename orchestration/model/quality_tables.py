"""Quality as tables for a person: model and baselines on both splits."""

from typing import Any

from models_ml.evaluation.gate import NETWORK

SPLITS = {"time": "the last tenth of events", "loo": "each user's last event"}


ALONE = "the model without the counts that answer beside it"
"""What `NETWORK` means in a table of quality."""


METRICS = ["hr_1", "hr_10", "ndcg_10", "mrr", "n"]


def quality_rows(quality: dict[str, Any], split: str) -> list[dict[str, Any]]:
    """List model and baselines of a split, best NDCG@10 first."""
    rows = [{"name": name, **values} for name, values in quality.get(split, {}).items()]
    return sorted(rows, key=lambda row: -row["ndcg_10"])


def quality_tables(quality: dict[str, Any]) -> str:
    """Write both splits' tables for a person."""
    parts = []
    for split, title in SPLITS.items():
        if rows := quality_rows(quality, split):
            parts += [
                f"## Quality on {title} (`{split}`)",
                markdown_table(rows, ["name", *METRICS]),
            ]
    if any(NETWORK in quality.get(split, {}) for split in SPLITS):
        parts.append(f"{NETWORK}: {ALONE}.")
    return "\n\n".join(parts)


def markdown_table(rows: list[dict[str, Any]], columns: list[str]) -> str:
    """Write *rows* as a Markdown table of these *columns*."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(_cell(row.get(column)) for column in columns) + " |" for row in rows
    ]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
