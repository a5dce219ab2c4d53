"""Against hubness: nearness counts for less of who is near to everybody.

In spaces of many dimensions some vectors are near to a great many others (hubs). Half of how like a
person's nearest are to them is taken off their likeness to whoever asks: cross-domain similarity
local scaling (Conneau, Lample et al., Word translation without parallel data, ICLR 2018) less the
asker's own part, which is the same for all and changes no rank.
"""

import numpy as np
import numpy.typing as npt

NEAREST = 10
MOST_REFERENCES = 20_000
_ROWS_AT_ONCE = 4096

Floats = npt.NDArray[np.float32]


def usual_likeness(vectors: Floats) -> Floats:
    """Average the likeness (cosine) of each person's `NEAREST` others, (N,).

    *vectors*  (N, D)  of unit length, or zeros for people of whom nothing is known; these are near
    to nobody. Of more than `MOST_REFERENCES` people some, evenly chosen, stand for all.
    """
    import faiss

    every = -(-len(vectors) // MOST_REFERENCES) or 1
    references = np.ascontiguousarray(vectors[::every], dtype=np.float32)
    count = min(NEAREST, len(references) - 1)
    usual = np.zeros(len(vectors), dtype=np.float32)
    if count < 1:
        return usual
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = np.ascontiguousarray(vectors[start : start + _ROWS_AT_ONCE], dtype=np.float32)
        likeness, _ = faiss.knn(rows, references, count + 1, metric=faiss.METRIC_INNER_PRODUCT)
        # Nobody is more like a reference than itself, so the first is to be passed over.
        is_reference = (np.arange(start, start + len(rows)) % every) == 0
        nearest = np.where(is_reference[:, None], likeness[:, 1:], likeness[:, :-1])
        usual[start : start + len(rows)] = np.where(rows.any(axis=1), nearest.mean(axis=1), 1)
    return usual


def nearness(likeness: Floats, usual: Floats) -> Floats:
    """Take off each person's *likeness* to the asker half of what is usual for them."""
    near: Floats = np.subtract(likeness, usual / 2, dtype=np.float32)
    return near
