"""Search among a million people: looking at all of them beside looking where the nearest are.

python -m tests.bench.index [--data FOLDER] [--people N]

The people are made of MovieLens': copies of their vectors with noise, so that they crowd as real
people do and no two are equal. One thread searches.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import faiss
import numpy as np

from serving import ann
from serving.ann import Approximate
from serving.hubness import nearness, usual_likeness
from tests.bench.figures import Figure, publish
from tests.bench.halves import Floats, read_people, released

DATA = Path(__file__).parents[2] / ".quality" / "ml-1m" / "set"
NOISE = 0.06
ASKERS = 200
MANY = (10_000, 100_000)
Result = TypeVar("Result")


def main() -> None:
    """Print both searches side by side and write `.bench/index.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--people", type=int, default=1_000_000)
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(1)
    people = read_people(arguments.data)
    everybody = people.of(np.arange(len(people.histories)))
    real = released(everybody, people.vocabulary)(everybody).astype(np.float32)
    figures = []
    for count in (*MANY, arguments.people):
        vectors = _made_of(real, count)
        usual, seconds = _timed(lambda vectors=vectors: usual_likeness(vectors))
        figures.append(_figure(f"{count:,} people, what is usual", seconds, "s"))
        figures += _searches(count, vectors, usual)
    publish("index", figures)


def _made_of(real: Floats, count: int) -> Floats:
    random = np.random.default_rng(0)
    copies = real[random.integers(0, len(real), count)]
    copies += random.normal(0, NOISE, copies.shape).astype(np.float32)
    return copies / np.linalg.norm(copies, axis=1, keepdims=True)


def _searches(count: int, vectors: Floats, usual: Floats) -> list[Figure]:
    def exact(asker: Floats) -> Floats:
        scores = nearness(vectors @ asker, usual)
        rows = np.argpartition(-scores, ann.NEAREST)[: ann.NEAREST]
        return rows[np.argsort(-scores[rows])]

    slow = _milliseconds(exact, vectors)
    figures = [
        _figure(f"{count:,} people, exact, one question", slow, "ms"),
        _figure(f"{count:,} people, exact, on disk", vectors.nbytes + usual.nbytes, "bytes"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ann.FILE
        recall, seconds = _timed(lambda: ann.build(vectors, usual, file))
        opened = Approximate(file)
        fast = _milliseconds(lambda asker: opened.search(asker, ann.NEAREST), vectors)
        size = file.stat().st_size
    name, most_exact = f"{count:,} people, approximate", ann.MOST_EXACT
    return [
        *figures,
        _figure(f"{name}, one question", fast, "ms", slow if count > most_exact else None),
        _figure(f"{name}, times as fast", slow / fast, "x", better="higher"),
        _figure(f"{name}, recall@10", recall, "", ann.LEAST_RECALL, better="higher"),
        _figure(f"{name}, on disk besides", size, "bytes"),
        _figure(f"{name}, built and measured", seconds, "s"),
    ]


def _timed(what: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    result = what()
    return result, time.perf_counter() - began


def _milliseconds(search: Callable[[Floats], object], vectors: Floats) -> float:
    """Take the median over some askers, each asked once, after a few to warm up."""
    rows = np.linspace(0, len(vectors) - 1, ASKERS).astype(np.int64)
    times = [_timed(lambda row=row: search(vectors[row]))[1] for row in (*rows[:5], *rows)]
    return float(np.median(times[5:]) * 1000)


def _figure(
    name: str, value: float, unit: str, goal: float | None = None, better: str = "lower"
) -> Figure:
    return Figure(name, value, unit, goal, "higher" if better == "higher" else "lower", "must")


if __name__ == "__main__":
    main()
