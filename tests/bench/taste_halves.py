"""Is a person's other half the nearest? Recall of user vectors on halved histories.

python tests/bench/taste_halves.py --data FOLDER --model FOLDER [--model FOLDER ...]

Each history of 20 events or more is cut in two, every other event or by time.
Both halves are embedded, and each first half looks for its second among those
of all people. Only events of the training part are used.
"""

import argparse
from pathlib import Path

import numpy as np

from models_ml.recommender import load
from models_ml.split import split
from models_ml.tokens import MAX_EVENTS, History
from models_ml.training_set import read_training_set

SHORTEST = 20
EACH = 2


def main() -> None:
    """Print R@1 and R@10 of each model for both ways of halving."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, action="append", required=True)
    arguments = parser.parse_args()
    data = read_training_set(arguments.data)
    ends = split(data).ends
    people = np.flatnonzero(ends - data.offsets[:-1] >= SHORTEST)[::EACH]
    names = data.catalogue.place_ids

    def history(events: np.ndarray) -> History:
        chosen = events[-MAX_EVENTS:]
        return History(
            [names[row] for row in data.places[chosen]],
            [data.kind_names[kind] for kind in data.kinds[chosen]],
            data.ats[chosen].tolist(),
            data.ratings[chosen].tolist(),
        )

    halves: dict[str, tuple[list[History], list[History]]] = {
        "interleaved": ([], []),
        "by time": ([], []),
    }
    for person in people:
        events = np.arange(data.offsets[person], ends[person])
        middle = len(events) // 2
        for way, first, second in (
            ("interleaved", events[::2], events[1::2]),
            ("by time", events[:middle], events[middle:]),
        ):
            halves[way][0].append(history(first))
            halves[way][1].append(history(second))
    for folder in arguments.model:
        recommender = load(folder)
        for way, (firsts, seconds) in halves.items():
            likeness = recommender.embed(firsts) @ recommender.embed(seconds).T
            ranks = (likeness >= np.diag(likeness)[:, None]).sum(axis=1)
            print(  # noqa: T201 - the command's own output
                f"{folder.name:20}{way:12} R@1 {(ranks <= 1).mean():.3f}  "
                f"R@10 {(ranks <= 10).mean():.3f}  of {len(people)}"
            )


if __name__ == "__main__":
    main()
