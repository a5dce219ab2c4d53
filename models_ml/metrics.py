"""Ranks and what is reported of them. Ties are always broken against ourselves."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models_ml.figures import Bin, Calibration, Interval, RankFigures

TOP = 10
MOST_SHARE = 0.02
"""So much of what is asked may be one person's."""
RESAMPLES = 1000
_SWAPS = 10_000
_SWAPS_AT_ONCE = 500
_GROUPS_KEPT = 20_000
_BINS = 10
_FEW_GROUPS = 5
_NO_ERROR = 1e-9


def worst_ranks(scores: NDArray[np.float32], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rank of column *wanted* in each row, 1 the best, last among its equals.

    A row that wants -1, a place that has no column, ranks behind everything.
    """
    rows = np.arange(len(scores))
    own = scores[rows, np.maximum(wanted, 0)]
    # A place that may not be shown (-inf) is never found, though all others be hidden too.
    is_absent = (wanted < 0) | ~np.isfinite(own)
    ranks: NDArray[np.int64] = (scores >= own[:, None]).sum(axis=1)
    return np.where(is_absent, scores.shape[1] + 1, ranks)


def gains(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each rank's NDCG@10: with one right answer, 1 / log2(rank + 1) in the top ten."""
    values: NDArray[np.float64] = np.where(ranks <= TOP, 1 / np.log2(ranks + 1.0), 0.0)
    return values


def summary(ranks: NDArray[np.int64]) -> RankFigures:
    """Sum up *ranks*; zeros where there are none."""
    if len(ranks) == 0:
        return RankFigures(0.0, 0.0, 0.0, 0.0, 0)
    return RankFigures(
        hr_1=float((ranks == 1).mean()),
        hr_10=float((ranks <= TOP).mean()),
        ndcg_10=float(gains(ranks).mean()),
        mrr=float((1 / ranks).mean()),
        n=len(ranks),
    )


def capped_shares(amounts: NDArray[np.integer] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide 1 among people by their *amounts* (G,), so that nobody has more than `MOST_SHARE`.

    What is beyond that goes to the others, in proportion. Equal shares where people are too few.
    """
    if len(amounts) * MOST_SHARE <= 1:
        return np.full(len(amounts), 1 / max(1, len(amounts)))
    shares = amounts / max(1e-300, float(amounts.sum()))
    is_over = np.zeros(len(shares), dtype=bool)
    while (more := ~is_over & (shares > MOST_SHARE)).any():
        is_over |= more
        others = max(1e-300, float(amounts[~is_over].sum()))
        shares = amounts * ((1 - MOST_SHARE * is_over.sum()) / others)
        shares[is_over] = MOST_SHARE
    return shares


def target_weights(people: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh the targets of *people* (N,), so that nobody makes more than `capped_shares` lets them.

    All together 1; equal weights where nobody has too many.
    """
    _, members, counts = np.unique(people, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = (capped_shares(counts) / counts)[members]
    return weights


def fewer_of_each(
    targets: NDArray[np.int64], people: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """Leave out *targets* (N,) of those *people* (N,) who would fill a sample of *most*.

    Drawn at random, the same ones each time: a sample has room for `MOST_SHARE` of anybody's.
    """
    room = int(np.ceil(MOST_SHARE * most))
    if len(targets) <= most or np.unique(people, return_counts=True)[1].max() <= room:
        return targets
    order = np.random.default_rng(0).permutation(len(targets))
    order = order[np.argsort(people[order], kind="stable")]
    is_first = np.concatenate([[True], people[order][1:] != people[order][:-1]])
    begins = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    return np.sort(targets[order[np.arange(len(order)) - begins < room]])


def largest_share(people: NDArray[np.int64]) -> float:
    """Tell how large a part of *people* (N,), one for each target, is the same person."""
    if not len(people):
        return 0.0
    return float(np.unique(people, return_counts=True)[1].max() / len(people))


def bootstrap_mean(
    values: NDArray[np.float64],
    groups: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Interval:
    """Return the 95 % interval of the mean of *values*, whole *groups* (users) resampled.

    Of the mean by *weights* (N,), where there are some.

    By the bootstrap-t (Efron and Tibshirani, An introduction to the bootstrap, 1993, ch. 12): each
    draw's distance from the mean is told in standard errors of its own, so that intervals of few
    people are as wide as they have to be. Percentiles of the draws themselves hold the mean of 15
    to 30 people in 91 to 92 of 100 cases, these in 95. Of fewer than `_FEW_GROUPS` people, whose
    draws are often all of one, it is the percentiles all the same.
    """
    if len(values) == 0:
        return Interval(0.0, 0.0)
    _, members = np.unique(groups, return_inverse=True)
    weights = np.ones(len(values)) if weights is None else weights * (len(values) / weights.sum())
    counts = np.bincount(members, weights=weights)
    sums = np.bincount(members, weights=weights * values)
    mean = float(sums.sum() / counts.sum())
    kinds = np.stack([sums, counts, sums**2, sums * counts, counts**2])
    drawn, sizes, *squares = _resampled(kinds, seed).T
    means = drawn / sizes
    errors = _standard_errors(means, sizes, *squares)
    differs = errors > _NO_ERROR
    if len(counts) < _FEW_GROUPS or not differs.any():
        low, high = np.percentile(means, [2.5, 97.5])
        return Interval(float(low), float(high))
    (error,) = _standard_errors(np.array([mean]), counts.sum(), *kinds[2:].sum(axis=1))
    low, high = np.percentile((means[differs] - mean) / errors[differs], [2.5, 97.5])
    return Interval(float(mean - high * error), float(mean - low * error))


def _standard_errors(
    means: NDArray[np.float64],
    sizes: NDArray[np.float64] | float,
    values: NDArray[np.float64] | float,
    products: NDArray[np.float64] | float,
    counts: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Tell the standard error of means over groups by the groups' sums of squares and products."""
    spread = values - 2 * means * products + means**2 * counts
    errors: NDArray[np.float64] = np.sqrt(np.maximum(0.0, spread)) / sizes
    return errors


def _resampled(sums: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Add up each row of *sums* (K, G) over groups drawn at random, (`RESAMPLES`, K)."""
    groups = sums.shape[1]
    if groups <= _GROUPS_KEPT:
        resampled: NDArray[np.float64] = _times_drawn(groups, seed) @ sums.T
        return resampled
    generator = np.random.default_rng(seed)
    return np.stack(
        [sums[:, generator.integers(0, groups, groups)].sum(axis=1) for _ in range(RESAMPLES)]
    )


@lru_cache(maxsize=2)
def _times_drawn(groups: int, seed: int) -> NDArray[np.float64]:
    """Draw as many of *groups* as there are, again and again: how often each, (`RESAMPLES`, G).

    Kept, for whatever is compared on the same people is resampled alike.
    """
    generator = np.random.default_rng(seed)
    return np.stack(
        [
            np.bincount(generator.integers(0, groups, groups), minlength=groups)
            for _ in range(RESAMPLES)
        ]
    ).astype(np.float64)


def paired_p_values(
    differences: Sequence[NDArray[np.float64]], groups: NDArray[np.int64], seed: int = 0
) -> list[float]:
    """Return how often chance alone would part two methods as far, by a randomization test.

    Of several pairs of methods that were asked the same: *differences* of each on all targets.
    Those of a whole group (user) change their sign together. Two-sided; 1 / 10,001 at least, the
    number of random swaps and the one that was measured (Smucker, Allan and Carterette, CIKM 2007).
    """
    if not len(differences) or not len(groups):
        return [1.0] * len(differences)
    _, members = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(members, weights=pair) for pair in differences], axis=1)
    # Rounding must not part what is equal.
    totals = sums.sum(axis=0)
    measured = np.abs(totals) * (1 - 1e-9)
    generator = np.random.default_rng(seed)
    as_far = np.zeros(len(differences), dtype=np.int64)
    for _ in range(_SWAPS // _SWAPS_AT_ONCE):
        bits = generator.integers(0, 256, (_SWAPS_AT_ONCE, -(-len(sums) // 8)), dtype=np.uint8)
        is_kept = np.unpackbits(bits, axis=1, count=len(sums)).astype(np.float64)
        as_far += (np.abs(2 * (is_kept @ sums) - totals) >= measured).sum(axis=0)
    return [float(value) for value in (as_far + 1) / (_SWAPS + 1)]


def calibration(confidences: NDArray[np.float64], is_right: NDArray[np.bool_]) -> Calibration:
    """Tell how far the stated chance of the first place is from how often it was right.

    ``bins`` are tenths of the answers by confidence, each with mean ``confidence`` and
    ``accuracy``; ``error`` is their mean absolute difference (the expected calibration error with
    bins of equal mass: Nixon et al., CVPR workshops 2019).
    """
    if len(confidences) == 0:
        return Calibration(0.0, [])
    order = np.argsort(confidences, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    bins = [
        Bin(float(confidences[part].mean()), float(is_right[part].mean()), len(part))
        for part in parts
    ]
    error = sum(one.n * abs(one.confidence - one.accuracy) for one in bins)
    return Calibration(error / len(confidences), bins)
