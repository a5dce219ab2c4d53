"""Approximate nearest neighbours (ANN): look only where the nearest are likely to be.

An inverted file (Jégou, Douze and Schmid, Product quantization for nearest neighbor search, TPAMI
2011; FAISS's IndexIVFFlat) sorts people into lists by k-means and scans the lists next to whoever
asks. What it misses is measured when it is built.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.hubness import nearness

FILE = "approximate.faiss"
# Up to here an exact search is as fast: half a millisecond on one thread (make bench-index).
MOST_EXACT = 100_000
LEAST_RECALL = 0.95
NEAREST = 10
_ASKERS = 200
_PEOPLE_A_LIST = 500
_LISTS_SCANNED = 16
_ROWS_AT_ONCE = 65_536

Floats = npt.NDArray[np.float32]


def build(vectors: Floats, usual: Floats, target: Path) -> float:
    """Write to *target* what `Approximate` reads; return its recall of the `NEAREST` nearest.

    *vectors*  (N, D), *usual*  (N,): see `serving.hubness`. Equal input makes an equal file.
    """
    import faiss

    lists = max(1, len(vectors) // _PEOPLE_A_LIST)
    index: Any = faiss.index_factory(
        vectors.shape[1] + 1, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT
    )
    index.cp.max_points_per_centroid = 64
    index.nprobe = min(_LISTS_SCANNED, lists)
    every = max(1, len(vectors) // (lists * 64))
    index.train(_with_usual(vectors[::every], usual[::every]))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        index.add(_with_usual(vectors[part], usual[part]))
    faiss.write_index(index, str(target))
    return _recall(vectors, usual, Approximate(target))


class Approximate:
    """An inverted file; its lists stay on the disk until a search reads them."""

    def __init__(self, path: Path) -> None:
        """Open what `build` wrote."""
        import faiss

        self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)

    def search(self, vector: Floats, count: int) -> tuple[Floats, npt.NDArray[np.int64]] | None:
        """Find nearness and rows of the *count* nearest to *vector* (D,), best first.

        Nothing where the lists that are scanned hold fewer people.
        """
        scores, rows = self._index.search(np.append(vector, 1).astype(np.float32)[None], count)
        return None if (rows < 0).any() else (scores[0], rows[0])


def _with_usual(vectors: Floats, usual: Floats) -> Floats:
    """Add a column, so that the product with an asker and 1 is the nearness."""
    taken_off = nearness(np.zeros(len(usual), dtype=np.float32), usual)
    return np.ascontiguousarray(np.column_stack([vectors, taken_off]), dtype=np.float32)


def _recall(vectors: Floats, usual: Floats, approximate: Approximate) -> float:
    """Average which share of the nearest of some people is found."""
    askers = np.unique(np.linspace(0, len(vectors) - 1, _ASKERS).astype(np.int64))
    count = min(NEAREST, len(vectors))
    shares = []
    for asker in askers:
        scores = nearness(vectors @ vectors[asker], usual)
        exact = np.argpartition(-scores, count - 1)[:count]
        found = approximate.search(vectors[asker], count)
        shares.append(0.0 if found is None else np.isin(exact, found[1]).mean())
    return float(np.mean(shares))
