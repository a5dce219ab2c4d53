"""Pictures of figures, for Dagster's pages and the run report."""

import base64
import io
from typing import Any

import dagster as dg
import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

OURS, OTHERS = "#2a7ab0", "#c3ccd5"


def training_curve(training: dict[str, Any]) -> Figure:
    """Draw loss and validation NDCG@10 by epoch."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    left = figure.subplots()
    epochs = range(1, len(training["losses"]) + 1)
    left.plot(epochs, training["losses"], color=OTHERS, label="loss")
    left.set(xlabel="epoch", ylabel="loss")
    right = left.twinx()
    right.plot(epochs, training["validation"], color=OURS)
    right.set_ylabel("validation NDCG@10", color=OURS)
    return figure


def quality_bars(evaluation: dict[str, Any]) -> Figure:
    """Draw NDCG@10 of model and baselines, a panel per split."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    panels = figure.subplots(1, 2)
    titles = {"time": "last tenth of events", "loo": "each user's last event"}
    for panel, (split, title) in zip(panels, titles.items(), strict=True):
        ranked = sorted(evaluation[split].items(), key=lambda entry: entry[1]["ndcg_10"])
        colours = [OURS if name == "model" else OTHERS for name, _ in ranked]
        values = [figures["ndcg_10"] for _, figures in ranked]
        panel.barh([name for name, _ in ranked], values, color=colours)
        panel.set_title(f"NDCG@10, {title}", fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def as_metadata(figure: Figure) -> dg.MarkdownMetadataValue:
    """Put *figure* where Dagster shows it: as a picture inside Markdown."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    picture = base64.b64encode(buffer.getvalue()).decode()
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{picture})")
