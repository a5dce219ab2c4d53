"""Hubness: whether a few people are everybody's neighbours, and how evenly all are shown.

In spaces of many dimensions some points are near to a great many others, and would be shown to all
(hubs: Radovanović, Nanopoulos and Ivanović, JMLR 2010).
"""

from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

from serving.hubness import NEAREST, nearness
from serving.index import Index

MOST_PEOPLE = 20_000
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """How evenly people are shown to each other, each seeing the `NEAREST` nearest.

    ``gini``: 0 where everybody is shown as often, near 1 where a few are shown to all.
    ``reciprocity``: the share of pairs of whom each is shown to the other.
    ``coverage``: the share of people who are shown to anybody.
    ``most``: how often the one who is shown most is shown, as a multiple of the mean.
    """

    gini: float
    reciprocity: float
    coverage: float
    most: float


def exposure(vectors: Floats, usual: Floats, seed: int = 0) -> Exposure | None:
    """Find everybody's neighbours among *vectors* (N, D), of many people a sample.

    *usual* (N,) is how near people usually are (`serving.hubness`); with zeros likeness alone
    ranks. Nothing where there are no more people than each would see.
    """
    if len(vectors) > MOST_PEOPLE:
        drawn = np.random.default_rng(seed).choice(len(vectors), MOST_PEOPLE, replace=False)
        chosen = np.sort(drawn)
        vectors, usual = vectors[chosen], usual[chosen]
    people = len(vectors)
    if people <= NEAREST + 1:
        return None
    shown = nearest(vectors, usual)
    times = np.sort(np.bincount(shown.ravel(), minlength=people))
    viewers = np.repeat(np.arange(people), NEAREST)
    pairs = viewers * people + shown.ravel()
    turned = shown.ravel() * people + viewers
    ranks = np.arange(1, people + 1)
    return Exposure(
        gini=float((2 * ranks - people - 1) @ times / (people * times.sum())),
        reciprocity=float(np.isin(pairs, turned).mean()),
        coverage=float((times > 0).mean()),
        most=float(times[-1] / NEAREST),
    )


def nearest(vectors: Floats, usual: Floats) -> npt.NDArray[np.int64]:
    """Find for each of *vectors* (N, D) the `NEAREST` others, (N, `NEAREST`), nearest first."""
    people = len(vectors)
    # The product of these is what `nearness` gives.
    askers = np.column_stack([vectors, np.ones(people)]).astype(np.float32)
    shown = np.column_stack([vectors, nearness(np.zeros(people, np.float32), usual)])
    _, found = faiss.knn(
        askers, shown.astype(np.float32), NEAREST + 1, metric=faiss.METRIC_INNER_PRODUCT
    )
    return _without_oneself(found)


def steadiness(before: Index, after: Index, seed: int = 0) -> float | None:
    """Tell how many of a person's nearest stay from one index to the next, as a share.

    Only people in both are looked at and counted, of many a sample; nothing where they are no more
    than each would see.
    """
    _, old, new = np.intersect1d(
        before.users.to_numpy(zero_copy_only=False),
        after.users.to_numpy(zero_copy_only=False),
        assume_unique=True,
        return_indices=True,
    )
    if len(old) > MOST_PEOPLE:
        chosen = np.random.default_rng(seed).choice(len(old), MOST_PEOPLE, replace=False)
        old, new = old[chosen], new[chosen]
    if len(old) <= NEAREST + 1:
        return None
    earlier = nearest(before.vectors[old], before.usual[old])
    return share_kept(earlier, nearest(after.vectors[new], after.usual[new]))


def share_kept(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> float:
    """Average over people which share of the rows in *before* (N, K) is in *after* too."""
    return float((before[:, :, None] == after[:, None, :]).any(axis=2).mean())


def _without_oneself(neighbours: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Drop each person from their own row; where equals crowd them out, the last one."""
    people = np.arange(len(neighbours))[:, None]
    is_oneself = neighbours == people
    is_oneself[~is_oneself.any(axis=1), -1] = True
    return neighbours[~is_oneself].reshape(len(neighbours), -1)
