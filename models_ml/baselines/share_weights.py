"""Weights of shares: first the likeliest ones, then those of the best ranking."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_ml.metrics import gains

_ROUNDS = 200
_STEPS = (0.0, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.22, 0.33, 0.5, 0.75, 1.0)
"""What is tried of a weight, as a part of all the others'."""
_WIDER = 1.5
_LEAST_GAIN = 1e-5
_HARDLY = 2e-4
"""So much NDCG@10 the shares that are left out may have brought all together."""


def likeliest(
    told: NDArray[np.float64], prior: float = 0.0, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Find the weights, summing to 1, under which what came was likeliest, (K,).

    *told* (K, N) is what each share gave to what came. By expectation maximization, which has one
    optimum here; *prior* stands for so many more targets that every share foretells alike. Targets
    count by their *weights* (N,), which sum to 1; where there are none, all alike.
    """
    found = np.full(len(told), 1 / max(1, len(told)))
    is_foretold = told.sum(axis=0) > 0
    seen = told[:, is_foretold]
    counted = np.ones(seen.shape[1]) if weights is None else weights[is_foretold] * told.shape[1]
    for _ in range(_ROUNDS):
        each = found[:, None] * seen
        each /= np.maximum(1e-300, each.sum(axis=0))
        found = each @ counted + prior / len(told)
        found /= max(1e-300, found.sum())
    return found


@dataclass(frozen=True)
class Candidates:
    """What may be among the first ten after each target's history, and what each share says of it.

    shares   (K, N, M)  of each candidate
    wanted   (N,)       where what came stands among them
    weights  (N,)       what each target counts; all together 1
    """

    shares: NDArray[np.float32]
    wanted: NDArray[np.int64]
    weights: NDArray[np.float64]

    def quality(self, sums: NDArray[np.float32]) -> float:
        """NDCG@10 of *sums* (N, M), ties against what came."""
        told = sums[np.arange(len(sums)), self.wanted]
        ranks = np.count_nonzero(sums >= told[:, None], axis=1)
        return float(gains(ranks) @ self.weights)


def climb(
    candidates: Candidates, starts: Sequence[NDArray[np.float64]]
) -> list[tuple[NDArray[np.float64], float]]:
    """Turn one weight after the other until none is better by itself, from each of *starts*.

    An axis goes on while its last value wins. Returns weights, (K,) and summing to 1, and NDCG@10
    of each; best first.
    """
    found = [_climbed(candidates, start.astype(np.float32)) for start in starts]
    pruned = [_pruned(candidates, *one) for one in found]
    pruned.sort(key=lambda one: -one[1])
    return [(weights / max(1e-12, weights.sum()), quality) for weights, quality in pruned]


def _climbed(
    candidates: Candidates, weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    weights = weights.copy()
    shares = candidates.shares
    sums = np.tensordot(weights, shares, axes=1)
    best = candidates.quality(sums)
    before = -1.0
    while best > before + _LEAST_GAIN:
        before = best
        for nth, share in enumerate(shares):
            others = sums - weights[nth] * share
            scale = max(1e-6, float(weights.sum() - weights[nth]))
            values = [*(step * scale for step in _STEPS), weights[nth] / 1.25, weights[nth] * 1.25]
            tried = [(candidates.quality(others + np.float32(v) * share), v) for v in values]
            quality, value = max(tried, key=lambda one: one[0])
            while value >= scale * _STEPS[-1]:
                wider = candidates.quality(others + np.float32(value * _WIDER) * share)
                if wider <= quality:
                    break
                quality, value = wider, value * _WIDER
            if quality > best:
                best, weights[nth] = quality, value
                sums = others + np.float32(value) * share
    return weights, best


def _pruned(
    candidates: Candidates, weights: NDArray[np.float32], quality: float
) -> tuple[NDArray[np.float64], float]:
    """Leave out, the lightest first, what brings next to nothing: each share costs every answer."""
    weights, least = weights.copy(), quality - _HARDLY
    sums = np.tensordot(weights, candidates.shares, axes=1)
    for nth in np.argsort(weights, kind="stable"):
        without = sums - weights[nth] * candidates.shares[nth]
        told = candidates.quality(without)
        if told >= least:
            weights[nth], sums, quality = 0.0, without, told
    return weights.astype(np.float64), quality
