"""Vectors of people that the released one is measured against; fitted on people by places.

SVD and item-kNN add up a person's places and subtract the mean person, as the published rows do.
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds

from tests.bench.halves import Embed, Floats

DIMENSIONS = 32


def svd(fitted: csr_matrix) -> Embed:
    """Weigh places by rarity and keep 32 dimensions, centred."""
    rarity = np.log1p(fitted.shape[0] / np.maximum(_counts(fitted), 1)).astype(np.float32)
    start = np.random.default_rng(0).normal(size=min(fitted.shape))
    _, _, directions = svds(fitted.multiply(rarity).tocsr(), k=DIMENSIONS, v0=start)
    return _centred(directions.T.astype(np.float32) * rarity[:, None], fitted)


def item_knn(fitted: csr_matrix) -> Embed:
    """Smooth a history by how alike its places are to all others (cosine), centred."""
    counts = np.maximum(_counts(fitted), 1)
    alike = (fitted.T @ fitted).toarray() / np.sqrt(np.outer(counts, counts))
    np.fill_diagonal(alike, 0)
    return _centred(alike.astype(np.float32), fitted)


def length(_: csr_matrix) -> Embed:
    """Know of a history only how many places it has."""
    return lambda rows: _on_an_arc(np.log(_lengths(rows)))


def popularity(fitted: csr_matrix) -> Embed:
    """Know of a history only how popular its places are on average."""
    counts = np.log1p(_counts(fitted))
    return lambda rows: _on_an_arc((rows @ counts) / _lengths(rows))


def unit(vectors: Floats) -> Floats:
    """Scale *vectors* (N, D) to unit length."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _centred(table: Floats, fitted: csr_matrix) -> Embed:
    mean = np.asarray(fitted.mean(axis=0)).ravel() @ table
    return lambda rows: unit(rows @ table - mean)


def _counts(rows: csr_matrix) -> Floats:
    return np.asarray(rows.sum(axis=0)).ravel()


def _lengths(rows: csr_matrix) -> Floats:
    return np.maximum(np.diff(rows.indptr), 1)


def _on_an_arc(numbers: Floats) -> Floats:
    """Turn *numbers* into directions whose product falls with the difference."""
    angles = np.tanh((numbers - numbers.mean()) / 4)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
