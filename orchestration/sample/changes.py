"""What was told in the year and is corrected or taken back on a day after it."""

from dataclasses import dataclass, replace

import numpy as np

from orchestration.sample.life import Visits
from orchestration.sample.past import Past, chance_of_all_days

_CORRECTED, _DELETED = 4, 3
"""How many on a day."""
_SETTLED, _VISITS_SINCE = 0.8, 12
"""In which share of the year they lie, and how many visits of the person's come after them in it.

So they are none that a model is tested on: were those changed, something that it has learned could
be held out the next time, and it could not be trained on (leakage).
"""
_MOST_MINUTES_WRONG = 50
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Told:
    """What happened, whether it is a like or else a review, and the numbers that make ids of it."""

    visits: Visits
    is_like: np.ndarray
    numbers: list[int]

    def of(self, chosen: np.ndarray) -> "Told":
        """Give those *chosen*, by a mask."""
        numbers = [self.numbers[position] for position in np.flatnonzero(chosen)]
        return Told(self.visits.of(chosen), self.is_like[chosen], numbers)

    def later(self, milliseconds: np.ndarray | int) -> "Told":
        """Give the same, later than it was."""
        return self.at(self.visits.at + milliseconds)

    def at(self, moments: np.ndarray) -> "Told":
        """Give the same at other moments."""
        return replace(self, visits=replace(self.visits, at=moments))


def changes(random: np.random.Generator, past: Past, number: int) -> tuple[Told, Told]:
    """Give what is corrected on a day, some minutes later than told before, and what is taken back.

    What is changed on one day is not on any other.
    """
    begins = (number - 1) * (_CORRECTED + _DELETED)
    today = _settled(past)[begins : begins + _CORRECTED + _DELETED]
    corrected, deleted = (
        _of_the_year(past, part) for part in (today[:_CORRECTED], today[_CORRECTED:])
    )
    minutes = random.integers(1, _MOST_MINUTES_WRONG, len(corrected.numbers), endpoint=True)
    return corrected.later(minutes * _MINUTE_MS), deleted


def _of_the_year(past: Past, positions: np.ndarray) -> Told:
    """Give visits of the year with the numbers that they have: likes and reviews each from 0."""
    number = np.where(past.is_like, past.is_like.cumsum(), (~past.is_like).cumsum()) - 1
    return Told(past.visits.of(positions), past.is_like[positions], number[positions].tolist())


def _settled(past: Past) -> np.ndarray:
    """Give the positions of what may be changed, in the order in which it is."""
    known = past.visits.user[: int(len(past.visits.user) * _SETTLED)]
    by_user = np.argsort(known, kind="stable")
    count = np.bincount(known)
    begins = np.concatenate([[0], count.cumsum()[:-1]])
    rank = np.empty(len(known), np.int64)
    rank[by_user] = np.arange(len(known)) - begins[known[by_user]]
    _, random, *_ = chance_of_all_days(past)
    return random.permutation(np.flatnonzero(rank + _VISITS_SINCE < count[known]))
