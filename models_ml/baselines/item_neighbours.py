"""Neighbours: which places point to which, counted over pairs of events of one history."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 300
_PAIRS_AT_ONCE = 20_000_000
_CELLS_A_PAIR = 8
"""Up to so many cells a pair an array of all of them is quicker than sorting the pairs."""


@dataclass(frozen=True)
class Pairs:
    """How much place ``froms[i]`` was found near ``tos[i]``; each pair of places once, (N,)."""

    froms: NDArray[np.int32]
    tos: NDArray[np.int32]
    counts: NDArray[np.float32]


@dataclass(frozen=True)
class Neighbours:
    """For each place the places it points to, and how strongly: its own part of two long rows.

    offsets  (P + 1,)  where each place's part begins, and the last one ends
    places   (N,)      what it points to, at most `NEIGHBOURS` a place
    weights  (N,)      how strongly
    """

    offsets: NDArray[np.int64]
    places: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def none(cls, size: int) -> "Neighbours":
        """Return neighbours for methods that use none."""
        nothing = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        return cls(np.zeros(size + 1, dtype=np.int64), *nothing)

    @classmethod
    def restore(cls, prefix: str, tensors: Mapping[str, NDArray[Any]]) -> "Neighbours":
        """Put together what `tensors` gave."""
        return cls(**{part.name: tensors[prefix + part.name] for part in fields(cls)})

    @classmethod
    def are_all_in(cls, prefix: str, tensors: Mapping[str, NDArray[Any]]) -> bool:
        """Tell whether *tensors* have all that `restore` takes."""
        return all(prefix + part.name in tensors for part in fields(cls))

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What was counted, by name."""
        return {prefix + part.name: getattr(self, part.name) for part in fields(self)}

    def __len__(self) -> int:
        """Count the places, P."""
        return len(self.offsets) - 1

    def scaled(self, factors: NDArray[np.float64]) -> "Neighbours":
        """Multiply by *factors* (P,) how strongly each place points to others."""
        each = np.repeat(factors.astype(np.float32), np.diff(self.offsets))
        return Neighbours(self.offsets, self.places, self.weights * each)

    @property
    def normalized(self) -> "Neighbours":
        """The same, what each place points to scaled to a sum of 1."""
        return self.scaled(1 / np.maximum(1e-12, self.sums))

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """How strongly each place points to all others together, (P,)."""
        whose = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        sums = np.bincount(whose, weights=self.weights, minlength=len(self))
        return sums.astype(np.float64)

    @cached_property
    def dense(self) -> NDArray[np.float32]:
        """How strongly each place points to each, (P, P)."""
        every = np.zeros((len(self), len(self)), dtype=np.float32)
        froms, places, weights = self.of(np.arange(len(self)))
        every[froms, places] = weights
        return every

    def of(
        self, froms: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """List what the places *froms* point to: whose it is by position in *froms*, what, how."""
        begins = self.offsets[froms]
        counts = self.offsets[froms + 1] - begins
        whose = np.repeat(np.arange(len(froms)), counts)
        rows = np.arange(len(whose)) + (begins - np.cumsum(counts) + counts)[whose]
        return whose, self.places[rows], self.weights[rows]


def co_occurrences(
    places: NDArray[np.int64],
    users: NDArray[np.int64],
    size: int,
    lags: Mapping[int, float],
) -> Pairs:
    """Count how much each of *size* places is found near each other in a history.

    A pair counts ``lags[lag]`` where its second event is the ``lag``-th after the first, before it
    where negative. Memory is bounded by `_PAIRS_AT_ONCE`, and by what is found.
    """
    order = np.argsort(places, kind="stable")
    bounds = np.searchsorted(places[order], np.arange(size + 1))
    most = max(1, _PAIRS_AT_ONCE // len(lags))
    cells, counts = [np.zeros(0, np.int64)], [np.zeros(0)]
    begin = 0
    while begin < size:
        fitting = int(np.searchsorted(bounds, bounds[begin] + most, side="right")) - 1
        end = max(begin + 1, fitting)
        here = order[bounds[begin] : bounds[end]]
        near, weights = _near(here, places, users, size, lags)
        found, summed = _summed(near - begin * size, weights, (end - begin) * size)
        cells.append(found + begin * size)
        counts.append(summed)
        begin = end
    every = np.concatenate(cells)
    return Pairs(
        (every // size).astype(np.int32),
        (every % size).astype(np.int32),
        np.concatenate(counts).astype(np.float32),
    )


def _near(
    here: NDArray[np.int64],
    places: NDArray[np.int64],
    users: NDArray[np.int64],
    size: int,
    lags: Mapping[int, float],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """List what lies near the events *here*: cells of a matrix of places by places, and weights."""
    cells, weights = [np.zeros(0, np.int64)], [np.zeros(0)]
    for lag, weight in lags.items():
        there = here + lag
        inside = (there >= 0) & (there < len(places))
        there = np.where(inside, there, here)
        same = inside & (users[there] == users[here])
        cells.append(places[here[same]] * size + places[there[same]])
        weights.append(np.full(len(cells[-1]), weight))
    return np.concatenate(cells), np.concatenate(weights)


def _summed(
    cells: NDArray[np.int64], weights: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Add up the *weights* of equal *cells*; return the cells that there are, sorted, and sums."""
    rows: NDArray[np.int64]
    sums: NDArray[np.float64]
    if size <= _CELLS_A_PAIR * len(cells):
        sums = np.bincount(cells, weights=weights, minlength=size).astype(np.float64)
        rows = np.flatnonzero(sums).astype(np.int64)
        return rows, sums[rows]
    rows, positions = np.unique(cells, return_inverse=True)
    sums = np.bincount(positions, weights=weights, minlength=len(rows)).astype(np.float64)
    return rows, sums


def nearest(pairs: Pairs, factors: NDArray[np.float64]) -> Neighbours:
    """Keep the `NEIGHBOURS` strongest of each place, counts multiplied by their *factors* (P,)."""
    strength = pairs.counts * factors.astype(np.float32)[pairs.tos]
    if len(factors) ** 2 <= _CELLS_A_PAIR * len(strength):
        return _nearest_of_all(pairs, strength, len(factors))
    return _nearest_sorted(pairs, strength, len(factors))


def _nearest_of_all(pairs: Pairs, strength: NDArray[np.float32], size: int) -> Neighbours:
    every = np.zeros((size, size), dtype=np.float32)
    every[pairs.froms, pairs.tos] = strength
    first = max(0, size - NEIGHBOURS)
    # numpy sorts values by vector instructions, which it has not for their positions.
    least = np.sort(every, axis=1)[:, first, None] if size else every
    kept = (every >= least) & (every > 0)
    full = np.flatnonzero(np.count_nonzero(kept, axis=1) > NEIGHBOURS)
    # Of several that are just as strong as the last one kept, the first.
    equal = every[full] == least[full]
    room = NEIGHBOURS - np.count_nonzero(every[full] > least[full], axis=1)
    kept[full] &= ~equal | (np.cumsum(equal, axis=1, dtype=np.int32) <= room[:, None])
    froms, places = np.nonzero(kept)
    return Neighbours(
        _offsets(np.bincount(froms, minlength=size)), places.astype(np.int32), every[kept]
    )


def _nearest_sorted(pairs: Pairs, strength: NDArray[np.float32], size: int) -> Neighbours:
    order = np.lexsort((-strength, pairs.froms))
    froms = pairs.froms[order]
    ranks = np.arange(len(froms)) - np.searchsorted(froms, froms)
    kept = order[ranks < NEIGHBOURS]
    counts = np.bincount(pairs.froms[kept], minlength=size)
    return Neighbours(_offsets(counts), pairs.tos[kept], strength[kept])


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
