"""How often to check: how long rows stay right, estimated from what past checks found.

A check sees each row at one moment, so when it went wrong is known only to lie between the moment
when it was last known to be right and the check: it is interval-censored; a row found right is
right-censored. `docs/decisions/0006-how-often-to-check.md` says why it is estimated like this.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

TARGET = 1e-4
CONFIDENCE = 0.99
FEWEST_WRONG = 10
FEWEST_CHECKS = 4
LEAST_SPREAD = 2.0
_REACH_BELOW = 50
"""A curve is followed down to this part of the shortest gap, and up to the longest."""

Floats = npt.NDArray[np.float64]
Basis = Literal["curve", "counts", "constant hazard"]


class HistoryError(ValueError):
    """Nothing can be estimated from the checks there were."""


@dataclass(frozen=True)
class Check:
    """What one check found among rows that were all right *gap* days before it."""

    gap: float
    rows: int
    wrong: int


@dataclass(frozen=True)
class Proposal:
    """The longest interval at which the bound of the share of wrong rows is within the target.

    days        the interval
    estimate    share of rows expected to be wrong at such a check
    bound       its upper confidence bound
    basis       `curve`: interpolated; `counts`: the longest gap that did well enough;
                `constant hazard`: scaled down from the shortest gap, whose bound is too high
    curve       the curve, where there is one
    """

    days: float
    estimate: float
    bound: float
    basis: Basis
    curve: "Curve | None" = field(default=None, repr=False, compare=False)


class Curve:
    """A spline of log cumulative hazard over log time (Royston and Parmar 2002).

    Two knots are a Weibull distribution, three let its shape change once. Where the counts scatter
    more than independent rows would, the bound is as much wider.
    """

    def __init__(self, checks: list[Check], knots: int) -> None:
        """Fit to *checks*, of which some must have found wrong rows and the gaps must differ."""
        self.gaps, self.rows, self.wrong = _arrays(checks)
        # Around 1, where logarithms are small, so that the information matrix can be inverted.
        self._unit = float(np.exp(np.average(np.log(self.gaps), weights=self.wrong)))
        self._fitter = self._fit(knots)

    def share(self, days: Floats) -> Floats:
        """Estimate the share of rows wrong *days* after all were known to be right, shape (T,)."""
        return _share(self._design(days) @ self._fitter.params_.to_numpy())

    def bound(self, days: Floats, confidence: float = CONFIDENCE) -> Floats:
        """Bound that share from above, at each of *days* by itself, shape (T,)."""
        from scipy.stats import norm

        design = self._design(days)
        variance = np.einsum("ij,jk,ik->i", design, self._fitter.variance_matrix_, design)
        width = norm.ppf(confidence) * np.sqrt(self.scatter * np.maximum(variance, 0))
        return _share(design @ self._fitter.params_.to_numpy() + width)

    @cached_property
    def scatter(self) -> float:
        """How much more the counts vary than those of independent rows; at least 1."""
        expected = self.rows * self.share(self.gaps)
        free = len(self.gaps) - len(self._fitter.params_)
        return max(1.0, float(np.sum((self.wrong - expected) ** 2 / expected)) / max(1, free))

    def _fit(self, knots: int) -> Any:
        from orchestration.reliability.spline import CountSpline

        gaps = self.gaps / self._unit
        low, high = np.log(gaps.min()), np.log(gaps.max())
        inner = [np.exp(self._middle(low, high))] if knots > 2 else []  # noqa: PLR2004
        nothing, never = np.zeros(len(gaps)), np.full(len(gaps), np.inf)
        weights = np.concatenate([self.wrong, self.rows - self.wrong])
        seen = weights > 0
        level = np.log(self.wrong.sum() / (self.rows @ gaps))
        return CountSpline([gaps.min(), *inner, gaps.max()]).fit_interval_censoring(
            np.concatenate([nothing, gaps])[seen],
            np.concatenate([gaps, never])[seen],
            weights=weights[seen],
            timeline=gaps,
            initial_point=np.array([level, 1.0, *[0.0] * len(inner)]),
        )

    def _middle(self, low: float, high: float) -> float:
        """Place the inner knot (a log time) amid the wrong rows, away from the ends."""
        order = np.argsort(self.gaps)
        so_far = np.cumsum(self.wrong[order]) / self.wrong.sum()
        median = np.interp(0.5, so_far, np.log(self.gaps[order] / self._unit))
        return float(np.clip(median, low + (high - low) / 4, high - (high - low) / 4))

    def _design(self, days: Floats) -> Floats:
        return np.asarray(self._fitter.design(np.asarray(days, dtype=float) / self._unit))


def propose(
    checks: list[Check], target: float = TARGET, confidence: float = CONFIDENCE
) -> Proposal:
    """Propose how many days to let pass between checks, never more than had passed before.

    Raises:
        HistoryError: *checks* are empty, or no interval can be told to keep the target.
    """
    _refuse_unusable(checks, target)
    if not can_draw_curve(checks):
        return _by_counts(checks, target, confidence)
    longest, shortest = max(check.gap for check in checks), min(check.gap for check in checks)
    days = np.geomspace(longest, shortest / _REACH_BELOW, 1000)
    for knots in (3, 2):
        curve = Curve(checks, knots)
        bounds = curve.bound(days, confidence)
        within = np.flatnonzero(bounds <= target)
        if within.size:
            at = days[within[:1]]
            share, bound = curve.share(at), curve.bound(at, confidence)
            return Proposal(float(at[0]), float(share[0]), float(bound[0]), "curve", curve)
        # For a laxer target this curve would answer: here, or with a longer interval. A stricter
        # one must not get more from the next curve.
        days = days[np.argmin(bounds) :]
    raise HistoryError(
        f"no interval of {days[-1]:.3g} days or more is sure to keep the share of wrong rows under "
        f"{target:g}. Check some times after shorter gaps than {shortest:.3g} days, and ask again."
    )


def naive(checks: list[Check], target: float, *, censored: Literal["dropped", "good"]) -> float:
    """Give the interval in days that takes a row to go wrong at the check that finds it so.

    censored    `dropped`: rows never seen wrong are left out; `good`: they stay right for ever.
    """
    gaps, rows, wrong = _arrays(checks)
    order = np.argsort(gaps)
    among = wrong.sum() if censored == "dropped" else rows.sum()
    shares = np.concatenate([[0.0], np.cumsum(wrong[order]) / max(among, 1)])
    times = np.concatenate([[0.0], gaps[order]])
    if shares[-1] <= target:
        return float(times[-1])
    after = int(np.argmax(shares > target))
    rise = (target - shares[after - 1]) / (shares[after] - shares[after - 1])
    return float(times[after - 1] + rise * (times[after] - times[after - 1]))


def can_draw_curve(checks: list[Check]) -> bool:
    """Say whether enough was found, after gaps different enough, to tell a curve's shape."""
    gaps, _, wrong = _arrays(checks)
    spread = gaps.max() / gaps.min()
    return bool(
        len(gaps) >= FEWEST_CHECKS and wrong.sum() >= FEWEST_WRONG and spread >= LEAST_SPREAD
    )


def upper_bound(wrong: int, rows: int, confidence: float = CONFIDENCE) -> float:
    """Bound a share from above after Clopper and Pearson; of 0 wrong at 95 %: 3 in *rows*."""
    from scipy.stats import beta

    return 1.0 if wrong >= rows else float(beta.ppf(confidence, wrong + 1, rows - wrong))


def _by_counts(checks: list[Check], target: float, confidence: float) -> Proposal:
    """Take the longest gap such that checks after it or more were good enough, all together.

    Rows do not get right again by themselves, so longer gaps bound the share at shorter ones.
    """
    for gap in sorted({check.gap for check in checks}, reverse=True):
        pool = [check for check in checks if check.gap >= gap]
        wrong, rows = sum(check.wrong for check in pool), sum(check.rows for check in pool)
        bound = upper_bound(wrong, rows, confidence)
        if bound <= target:
            return Proposal(gap, wrong / rows, bound, "counts")
    part = target / bound
    return Proposal(gap * part, wrong / rows * part, target, "constant hazard")


def _refuse_unusable(checks: list[Check], target: float) -> None:
    if not checks:
        raise HistoryError(
            "no check has followed another yet, so how long rows stay right is not known. Two "
            "are the least, and each run makes one; in between: tastemate parity"
        )
    if not 0 < target < 1:
        raise HistoryError(f"the target is {target}; it must lie between 0 and 1, such as 0.0001.")


def _share(log_hazard: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(np.minimum(log_hazard, 5.0))))


def _arrays(checks: list[Check]) -> tuple[Floats, Floats, Floats]:
    columns = zip(*((check.gap, check.rows, check.wrong) for check in checks), strict=True)
    gaps, rows, wrong = (np.array(column, dtype=float) for column in columns)
    return gaps, rows, wrong
