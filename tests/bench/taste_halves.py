"""Is a person's other half the nearest? Recall of user vectors on halved histories.

python -m tests.bench.taste_halves [--data FOLDER]

Ours ranks as an index does, less what is usual for a person (`serving.hubness`); "likeness alone"
is the same vector without that. Every other person with 20 events or more before their targets is
asked: the history is cut in two, and the first half looks for the second among those of all who
are asked. Vectors are fitted on everybody else, so that nothing was learned from those asked; and
once more, as for a release, on everybody. "Of their length" compares within a tenth of people of
like history length, which vectors that add up places know without knowing any taste.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from tests.bench.figures import Figure, publish
from tests.bench.halves import (
    Embed,
    Floats,
    People,
    at_random,
    by_time,
    deciles,
    follows,
    interleaved,
    newest,
    ranks,
    read_people,
    released,
    with_usual,
)
from tests.bench.rivals import user_vectors

DATA = Path(__file__).parents[2] / ".quality" / "ml-1m" / "set"
FEW = 20
CUTS = {
    "interleaved": interleaved,
    "random": at_random,
    "by time": by_time,
    "interleaved, 20 events": newest(FEW, interleaved),
    "by time, 20 events": newest(FEW, by_time),
}
WHOLE = ("interleaved", "by time")
# What was measured before this project began: the better of SVD and item-kNN in each column.
BEFORE = {
    "interleaved R@1": 0.649,
    "interleaved R@10": 0.896,
    "random R@1": 0.550,
    "random R@10": 0.831,
    "by time R@1": 0.023,
    "by time R@10": 0.106,
    "interleaved, 20 events R@1": 0.205,
    "interleaved, 20 events R@10": 0.547,
    "by time, 20 events R@1": 0.006,
    "by time, 20 events R@10": 0.061,
}
RIVALS = {
    "svd": user_vectors.svd,
    "item_knn": user_vectors.item_knn,
    "length": user_vectors.length,
    "popularity": user_vectors.popularity,
}
Halves = dict[str, tuple[csr_matrix, csr_matrix]]
Prepare = Callable[[Floats, Floats], tuple[Floats, Floats]]


def main() -> None:
    """Print the recall of each vector and write `.bench/halves.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    people = read_people(parser.parse_args().data)
    halves = {name: people.halves(cut) for name, cut in CUTS.items()}
    figures = [Figure("people asked", len(people.asked), "people", None, "higher", "must")]
    for who, chosen in (("others", people.others), ("all", np.arange(len(people.histories)))):
        fitted = people.of(chosen)
        began = time.perf_counter()
        ours = released(fitted, people.vocabulary)
        seconds = time.perf_counter() - began
        figures.append(Figure(f"fit on {who}", seconds, "s", None, "lower", "must"))
        others = {"likeness alone": ours} | {name: rival(fitted) for name, rival in RIVALS.items()}
        figures += _compared(
            who,
            _recalls(people, halves, ours, with_usual),
            {name: _recalls(people, halves, embed) for name, embed in others.items()},
        )
    publish("halves", figures)


def _recalls(
    people: People, halves: Halves, embed: Embed, prepare: Prepare = lambda *halves: halves
) -> dict[str, float]:
    """Measure recall for each cut, and how far nearness follows the length of the history.

    *prepare* may add to the vectors of both halves what ranks beside their product.
    """
    lengths = np.array([len(people.histories[person]) for person in people.asked], dtype=float)
    found: dict[str, float] = {}
    for name, (one, other) in halves.items():
        firsts, seconds = prepare(embed(one), embed(other))
        kinds = {"": None, " of their length": deciles(lengths)} if name in WHOLE else {"": None}
        for kind, groups in kinds.items():
            own = ranks(firsts, seconds, groups)
            found[f"{name}{kind} R@1"] = float((own <= 1).mean())
            found[f"{name}{kind} R@10"] = float((own <= 10).mean())
        if name == "interleaved":
            found["nearness follows length"] = follows(firsts, seconds, np.log(lengths))
    return found


def _compared(
    who: str, ours: dict[str, float], theirs: dict[str, dict[str, float]]
) -> list[Figure]:
    """Set our recall beside the best of any rival, in this run or before."""
    figures = []
    for column, value in ours.items():
        rows = {name: recalls[column] for name, recalls in theirs.items()}
        is_recall = "R@" in column
        rivals_best = max(value for name, value in rows.items() if name in RIVALS)
        goal = max(BEFORE.get(column, 0.0), rivals_best) if is_recall else None
        better = "higher" if is_recall else "lower"
        figures.append(Figure(f"{who}: {column}, ours", value, "", goal, better, "goal"))
        figures += [
            Figure(f"{who}: {column}, {name}", row, "", None, better, "goal")
            for name, row in rows.items()
        ]
    return figures


if __name__ == "__main__":
    main()
