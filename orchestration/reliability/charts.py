"""The picture of how often to check: survival turned over, as the share of rows gone wrong."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestration.reliability.survival import (
    Check,
    Curve,
    Proposal,
    upper_bound,
)

_NAIVE = {"dropped": "censored rows dropped", "good": "censored rows taken as good"}
_COLOURS = {"dropped": "#8a6d3b", "good": "#7a3b8a"}
_OURS, _SEEN, _TARGET = "#2a7ab0", "#5d6b78", "#c0392b"
_POINTS = 8


def draw(
    checks: list[Check], proposal: Proposal, naive_days: dict[str, float], target: float
) -> Figure:
    """Draw 1 - S(t) with its bound, what checks found, the target, and the intervals proposed."""
    figure = Figure(figsize=(8, 5.6), layout="constrained")
    panel = figure.subplots()
    ends = (min(check.gap for check in checks) / 3, max(check.gap for check in checks) * 1.5)
    panel.set(
        xscale="log",
        yscale="log",
        xlim=ends,
        xlabel="days since all rows were known to be right",
        ylabel="share of rows gone wrong, 1 - S(t)",
    )
    _points(panel, checks)
    if proposal.curve:
        _band(panel, proposal.curve, ends)
    panel.axhline(target, color=_TARGET, linewidth=1, label=f"target {target:g}")
    panel.axvline(proposal.days, color=_OURS, label=f"proposed: {proposal.days:.3g} days")
    for how, days in naive_days.items():
        aside = "" if days >= ends[0] else " (left of the picture)"
        label = f"{_NAIVE[how]}: {days:.2g} days{aside}"
        panel.axvline(days, color=_COLOURS[how], linestyle=":", linewidth=2, label=label)
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return figure


def _points(panel: Axes, checks: list[Check]) -> None:
    """Draw what checks found, those after like gaps together, with bounds to both sides."""
    gaps = np.log([check.gap for check in checks])
    places = np.round((gaps - gaps.min()) / max(np.ptp(gaps), 1e-9) * (_POINTS - 1))
    label: str | None = "found by checks, with bounds"
    for place in np.unique(places):
        near = [check for check, at in zip(checks, places, strict=True) if at == place]
        rows, wrong = sum(check.rows for check in near), sum(check.wrong for check in near)
        high = upper_bound(wrong, rows)
        low = 1 - upper_bound(rows - wrong, rows) if wrong else 0.0
        share, at = wrong / rows, float(np.exp(gaps[places == place].mean()))
        reach = [[share - low], [high - share]] if wrong else [[high / 2], [0]]
        panel.errorbar(
            at, share or high, reach, fmt="o" if wrong else "v", color=_SEEN, label=label
        )
        label = None


def _band(panel: Axes, curve: Curve, ends: tuple[float, float]) -> None:
    days = np.geomspace(*ends, 200)
    share, bound = curve.share(days), curve.bound(days)
    panel.plot(days, share, color=_OURS, linewidth=1, linestyle="--", label="estimate")
    panel.fill_between(days, share, bound, color=_OURS, alpha=0.2, label="up to the 99 % bound")
    panel.set_ylim(max(share.min() / 2, 1e-8), min(1.0, max(bound[-1] * 2, 3e-4)))
