"""Pictures of figures, for Dagster's pages and the run report."""

from collections.abc import Callable, Mapping

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

from models_ml.evaluation.report import (
    LOO,
    MODEL,
    NETWORK,
    TIME,
    Comparison,
    Quality,
    Slices,
)
from models_ml.figures import Calibration
from models_ml.training.record import TrainingRecord

OURS, OTHERS = "#2a7ab0", "#c3ccd5"


def is_ours(name: str) -> bool:
    """Tell whether a report calls a model *name*, whatever its seed, or its network alone."""
    return name.startswith((MODEL, NETWORK))


def training_curve(training: TrainingRecord) -> Figure:
    """Draw loss and validation NDCG@10 by epoch."""
    figure = Figure(figsize=(6, 3), layout="constrained")
    left = figure.subplots()
    epochs = range(1, len(training.losses) + 1)
    left.plot(epochs, training.losses, color=OTHERS, label="loss")
    left.set(xlabel="epoch", ylabel="loss")
    right = left.twinx()
    right.plot(epochs, training.validation, color=OURS)
    right.set_ylabel("validation NDCG@10", color=OURS)
    return figure


def quality_bars(compared: Comparison) -> Figure:
    """Draw NDCG@10 of model and baselines, a panel per split."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    panels = figure.subplots(1, 2)
    titles = {TIME: "last tenth of events", LOO: "each user's last event"}
    for panel, (split, title) in zip(panels, titles.items(), strict=True):
        ranked = sorted(compared.quality[split].items(), key=lambda entry: entry[1].ndcg_10)
        colours = [OURS if is_ours(name) else OTHERS for name, _ in ranked]
        values = [figures.ndcg_10 for _, figures in ranked]
        panel.barh([name for name, _ in ranked], values, color=colours)
        panel.set_title(f"NDCG@10, {title}", fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def quality_with_intervals(quality: Quality, is_marked: Callable[[str], bool] = is_ours) -> Figure:
    """Draw NDCG@10 of each recommender of a split, with its 95 % interval."""
    ranked = sorted(quality.items(), key=lambda entry: entry[1].ndcg_10)
    figure = Figure(figsize=(8, 0.6 + 0.3 * len(ranked)), layout="constrained")
    panel = figure.subplots()
    values = [told.ndcg_10 for _, told in ranked]
    intervals = [told.ndcg_10_interval for _, told in ranked]
    # Where all are right, the ends are the value itself but for rounding.
    reach = [
        [max(0.0, value - interval.low) for value, interval in zip(values, intervals, strict=True)],
        [
            max(0.0, interval.high - value)
            for value, interval in zip(values, intervals, strict=True)
        ],
    ]
    names = [name for name, _ in ranked]
    colours = [OURS if is_marked(name) else OTHERS for name in names]
    panel.barh(names, values, xerr=reach, color=colours, ecolor="#5d6b78", capsize=3)
    panel.set_xlabel("NDCG@10")
    panel.spines[["top", "right"]].set_visible(False)
    return figure


def slice_bars(slices: Slices, subject: str = MODEL) -> Figure:
    """Draw NDCG@10 of *subject* and of the best other recommender in each group of targets."""
    ways = {way: groups for way, groups in slices.items() if groups}
    rows = [len(groups) for groups in ways.values()]
    figure = Figure(figsize=(8, 0.8 * len(ways) + 0.3 * sum(rows)), layout="constrained")
    panels = figure.subplots(len(ways), 1, squeeze=False, height_ratios=rows, sharex=True)[:, 0]
    for panel, (way, groups) in zip(panels, ways.items(), strict=True):
        names = [f"{name} ({told.n:,})" for name, told in groups.items()][::-1]
        ours, others = zip(
            *(_ours_and_best(told.ndcg_10, subject) for told in groups.values()), strict=True
        )
        panel.barh(names, others[::-1], color=OTHERS, height=0.8, label="best other")
        panel.barh(names, ours[::-1], color=OURS, height=0.4, label=subject)
        panel.set_title(way, fontsize=10, loc="left")
        panel.spines[["top", "right"]].set_visible(False)
    if ways:
        panels[0].legend(frameon=False, fontsize=8, loc="lower right")
        panels[-1].set_xlabel("NDCG@10")
    return figure


def _ours_and_best(ndcg_by_name: Mapping[str, float], subject: str) -> tuple[float, float]:
    others = [
        value for name, value in ndcg_by_name.items() if name != subject and not is_ours(name)
    ]
    return ndcg_by_name[subject], max(others, default=0.0)


def calibration_curve(calibration: Calibration) -> Figure:
    """Draw how often the first place was right against the chance it was given."""
    figure = Figure(figsize=(4, 3.4), layout="constrained")
    panel = figure.subplots()
    stated = [one.confidence for one in calibration.bins]
    measured = [one.accuracy for one in calibration.bins]
    reach = max([*stated, *measured, 0.01]) * 1.05
    panel.plot([0, reach], [0, reach], color=OTHERS, linestyle="--")
    panel.plot(stated, measured, color=OURS, marker="o")
    panel.set(
        xlabel="stated chance of the first place", ylabel="how often it was right",
        xlim=(0, reach), ylim=(0, reach), title=f"calibration error {calibration.error:.3f}",
    )  # fmt: skip
    panel.spines[["top", "right"]].set_visible(False)
    return figure
