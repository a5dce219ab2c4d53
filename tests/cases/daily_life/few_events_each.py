"""People with one or two events, whom no leave-one-out tests, and who teach and count."""

import random
from pathlib import Path

from tests.models_ml.conftest import Choices, write_training_set

ONCE = 2000


def one_visit_each() -> Choices:
    """Send 2,000 people once to 'square', and 20 regulars 20 times each elsewhere.

    Right: an event that no split tests, as in a history of one or two, teaches and counts if it
    lies before the cut; 'square' is first among the popular. Once seen: none of its 2,000 of
    2,400 events counts, and the release does not know it.
    """
    draw = random.Random(4)  # noqa: S311 - an invented town
    choices: Choices = {f"n{nth}": [("square", nth * 20)] for nth in range(ONCE)}
    for nth in range(20):
        choices[f"r{nth}"] = [(f"p{draw.randrange(15)}", draw.randrange(40_000)) for _ in range(20)]
    return choices


def two_visits_each() -> Choices:
    """Send 300 people to two places each.

    Right: `fit_baselines` releases popularity, or a sentence says how many events are needed.
    Once seen: it divides by zero.
    """
    draw = random.Random(4)  # noqa: S311 - an invented town
    return {
        f"u{nth}": [(f"p{draw.randrange(30)}", draw.randrange(100_000)) for _ in range(2)]
        for nth in range(300)
    }


def training_set_of(choices: Choices, folder: Path) -> Path:
    """Write *choices* as a training set whose last tenth lies after the cut."""
    minutes = sorted(minute for visits in choices.values() for _, minute in visits)
    return write_training_set(folder, choices, minutes[int(len(minutes) * 0.9)])
