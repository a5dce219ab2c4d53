"""Who is shown to whom: whether a few people are everybody's neighbours.

In spaces of many dimensions some points are near to a great many others, and would be shown to all
(hubs: Radovanović, Nanopoulos and Ivanović, JMLR 2010).
"""

from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

NEAREST = 10
MOST_PEOPLE = 20_000


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


def exposure(vectors: npt.NDArray[np.float32], seed: int = 0) -> Exposure | None:
    """Find everybody's neighbours among *vectors* (N, D), of many people a sample.

    Nothing where there are no more people than each would see.
    """
    if len(vectors) > MOST_PEOPLE:
        chosen = np.random.default_rng(seed).choice(len(vectors), MOST_PEOPLE, replace=False)
        vectors = vectors[np.sort(chosen)]
    people = len(vectors)
    if people <= NEAREST + 1:
        return None
    whole = np.ascontiguousarray(vectors, dtype=np.float32)
    _, found = faiss.knn(whole, whole, NEAREST + 1, metric=faiss.METRIC_INNER_PRODUCT)
    shown = _without_oneself(found)
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


def _without_oneself(found: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Drop each person from their own row; where equals crowd them out, the last one."""
    people = np.arange(len(found))[:, None]
    is_oneself = found == people
    is_oneself[~is_oneself.any(axis=1), -1] = True
    return found[~is_oneself].reshape(len(found), -1)
