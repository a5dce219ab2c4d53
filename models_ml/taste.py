"""The user vector: what a person likes, not how much they did nor where they live.

A person is the mean of the vectors of the places they chose, each place once
and the rarer the weightier, less what is common to all people.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from models_ml.tokens import SPECIAL_TOKENS, EventTokens

if TYPE_CHECKING:
    import torch

DIMENSIONS = 32
_POWER_ITERATIONS = 4
_OVERSAMPLING = 16


@dataclass(frozen=True)
class Taste:
    """Vectors of places, and what is common to all people.

    factors  (P, D)  a vector for each known place, its weight included
    mean     (D,)    the mean person
    """

    factors: NDArray[np.float32]
    mean: NDArray[np.float32]

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""
        return int(self.factors.shape[1])

    def vectors(self, events: EventTokens, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return a vector of unit length for each history; zeros where no place is known."""
        people, places = _chosen_places(events, offsets, len(self.factors))
        counts = np.bincount(people, minlength=len(offsets) - 1)
        summed: NDArray[np.float32] = functional.embedding_bag(
            torch.from_numpy(places),
            torch.from_numpy(self.factors),
            torch.from_numpy(np.cumsum(counts) - counts),
            mode="sum",
        ).numpy()
        directions = _unit(summed)
        has_any = counts > 0
        return np.where(has_any[:, None], _unit(directions - self.mean), 0).astype(np.float32)


def fit_taste(events: EventTokens, offsets: NDArray[np.int64], size: int, seed: int) -> Taste:
    """Find the directions in which people's choices of places differ most."""
    import torch

    people, places = _chosen_places(events, offsets, size)
    users = len(offsets) - 1
    counts = np.bincount(places, minlength=size)
    weights = np.log1p(users / np.maximum(counts, 1)).astype(np.float32)
    matrix = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([people, places])),
        torch.from_numpy(weights[places]),
        (users, size),
        is_coalesced=True,
        check_invariants=True,
    )
    dimensions = min(DIMENSIONS, users, size)
    factors = _right_factors(matrix, dimensions, seed) * weights[:, None]
    fitted = Taste(factors, np.zeros(dimensions, dtype=np.float32))
    return Taste(factors, fitted.vectors(events, offsets).mean(axis=0))


def _right_factors(matrix: "torch.Tensor", dimensions: int, seed: int) -> NDArray[np.float32]:
    """Return the leading right singular vectors of a sparse *matrix*, by subspace iteration."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    width = min(dimensions + _OVERSAMPLING, *matrix.shape)
    basis = torch.randn(matrix.shape[1], width, generator=generator)
    transposed = matrix.t().coalesce()
    for _ in range(_POWER_ITERATIONS):
        basis = torch.linalg.qr(transposed @ (matrix @ basis)).Q
    _, _, rotation = torch.linalg.svd(matrix @ basis, full_matrices=False)
    factors: NDArray[np.float32] = (basis @ rotation.T[:, :dimensions]).numpy()
    return factors


def _chosen_places(
    events: EventTokens, offsets: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each (person, place) pair once, known places only, sorted."""
    people = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    places = events.places[offsets[0] : offsets[-1]] - SPECIAL_TOKENS
    is_known = (places >= 0) & (places < size)
    # numpy sorts integers by vector instructions, which `np.unique` does not use.
    pairs = np.sort(people[is_known] * size + places[is_known])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return np.divmod(pairs, size)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit
