"""Data drift: how far two sets of events differ in what they are about."""

import numpy as np
from scipy.spatial.distance import jensenshannon

_MOST_GROUPS = 50

Counts = dict[str, tuple[int, int]]
"""Events by code: of the events learned, and of the newest."""


def distance(counts: Counts) -> float:
    """Return the Jensen-Shannon distance between the learned and the newest shares, 0 to 1.

    Codes are put into at most 50 groups by how many learned events they have, for with thousands of
    codes few events would differ by luck alone: each code of more than a fiftieth of the learned
    events by itself, rarer ones together, those that were never learned with the rarest. The
    distance is the root of the divergence to base 2 (Lin, IEEE Transactions on Information Theory,
    1991); it needs no smoothing where one side has none. 0 where one side has no events at all.
    """
    learned, newest = np.array(list(counts.values()), dtype=float).reshape(-1, 2).T
    if not learned.sum() or not newest.sum():
        return 0.0
    order = np.argsort(-learned, kind="stable")
    learned, newest = learned[order], newest[order]
    begins = np.cumsum(learned) - learned
    groups = np.minimum(begins / learned.sum() * _MOST_GROUPS, _MOST_GROUPS - 1).astype(int)
    shares = [np.bincount(groups, weights=side) for side in (learned, newest)]
    # Of equal shares rounding may leave a root of less than nothing.
    return float(np.nan_to_num(jensenshannon(*shares, base=2)))
