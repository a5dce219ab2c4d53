"""Fits the vectors of places from who chose what, for `Taste` to make people's vectors of."""

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.data.tokens import EventTokens, Vocabulary
from models_ml.user_vectors import Taste, at_least_one, chosen_places, mean_places

# Chosen with the three below on people not learned from (docs/experiments.md).
DIMENSIONS = 32
# Keeps people of long histories from deciding on all directions.
_DAMPING = 0.25
# How much more a rare place counts.
_RARITY = 1.5
# Twice the mean: a person like everybody is then near to their like, and not anywhere.
_CENTRING = 2.0
_POWER_ITERATIONS = 4
_OVERSAMPLING = 16


def fit_taste(
    events: EventTokens, offsets: NDArray[np.int64], vocabulary: Vocabulary, seed: int
) -> Taste:
    """Find the directions in which people's choices of places differ most."""
    users, size = len(offsets) - 1, len(vocabulary)
    people, places = chosen_places(events, offsets)
    people, places = people[places < size], places[places < size]
    counts = np.bincount(places, minlength=size)
    rarity = np.log1p(users / np.maximum(counts, 1)).astype(np.float32)
    damping = np.maximum(np.bincount(people, minlength=users), 1) ** -_DAMPING
    # Asked for globally, not as an argument: torch 2.11 warns that nobody has decided otherwise.
    with torch.sparse.check_sparse_tensor_invariants():
        matrix = torch.sparse_coo_tensor(
            torch.from_numpy(np.stack([people, places])),
            torch.from_numpy((rarity[places] * damping[people]).astype(np.float32)),
            (users, size),
            is_coalesced=True,
        )
        directions = _right_factors(matrix, min(DIMENSIONS, users, size), seed)
    factors = directions * rarity[:, None] ** _RARITY
    means, has_any = mean_places(factors, people, places, users)
    return Taste(
        factors,
        _averages(factors, counts, vocabulary.place_categories, len(vocabulary.categories)),
        _averages(factors, counts, vocabulary.place_districts[:, None], len(vocabulary.districts)),
        _CENTRING * means.sum(axis=0) / max(1, int(has_any.sum())),
    )


def _right_factors(matrix: torch.Tensor, dimensions: int, seed: int) -> NDArray[np.float32]:
    """Return the leading right singular vectors of a sparse *matrix*, by subspace iteration."""
    generator = torch.Generator().manual_seed(seed)
    width = min(dimensions + _OVERSAMPLING, *matrix.shape)
    basis = torch.randn(matrix.shape[1], width, generator=generator)
    transposed = matrix.t().coalesce()
    for _ in range(_POWER_ITERATIONS):
        basis = torch.linalg.qr(transposed @ (matrix @ basis)).Q
    _, _, rotation = torch.linalg.svd(matrix @ basis, full_matrices=False)
    factors: NDArray[np.float32] = (basis @ rotation.T[:, :dimensions]).numpy()
    return factors


def _averages(
    factors: NDArray[np.float32],
    counts: NDArray[np.int64],
    labels: NDArray[np.int64],
    number: int,
) -> NDArray[np.float32]:
    """Average *factors* (P, D) by *labels* (P, K), places that many chose more; (number + 1, D).

    Label 0 means none and its row is zeros.
    """
    places, columns = np.nonzero(labels)
    tokens = labels[places, columns]
    sums = np.zeros((number + 1, factors.shape[1]))
    np.add.at(sums, tokens, factors[places] * counts[places, None])
    weights = np.bincount(tokens, weights=counts[places], minlength=number + 1)
    averages: NDArray[np.float32] = (sums / at_least_one(weights)).astype(np.float32)
    return averages
