"""The days after the year: the same people go on, places open, and in the end taste drifts.

A day follows from the city's seed and the day's number alone. Each one is lived after those before
it, since where one goes follows from where one was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np

from orchestration.sample.changes import Told, changes
from orchestration.sample.city import with_new_place
from orchestration.sample.dates import DAY_MS, midnight
from orchestration.sample.fashion import drifted
from orchestration.sample.life import Visits, World, gaps, pairs, walk
from orchestration.sample.past import Past, are_liked, chance_of_day

DRIFTS_FROM = 3
"""The number of the first day on which taste has drifted."""
_DAYS_OF_EVENTS = 240
"""For how many days the year's events would do, were everybody about all the time."""
_FEWEST = 40
_LATE, _AT_THE_NEW_PLACE = 0.01, 0.02
"""Which shares of a day's visits are told of days later, and are at the place that has opened."""
_FEWEST_OF_A_KIND = 2
_MOST_DAYS_LATE = 5


@dataclass(frozen=True)
class Day:
    """What is told on one day.

    world      as it is on that day, with its new place as the last one
    on_time    what happened on the day
    late       what happened in the days before it
    corrected  what was told in the year, at another time
    deleted    what was told in the year and is taken back, at the time at which it is
    """

    number: int
    world: World
    on_time: Told
    late: Told
    corrected: Told
    deleted: Told

    @property
    def drifts(self) -> bool:
        """Say whether taste has drifted by then."""
        return self.number >= DRIFTS_FROM

    @property
    def new_place(self) -> int:
        return len(self.world.city.category) - 1


@dataclass(frozen=True)
class _Evening:
    """What the next day goes on from.

    last  (U,)  the place where each person was last; -1 nowhere
    been  the pairs of people and places that have met
    """

    world: World
    last: np.ndarray
    been: np.ndarray


def day_of(past: Past, number: int) -> Day:
    """Live the days after the year up to the one with this *number*, from 1, and give that one."""
    return next(islice(_days(past), number - 1, None))


def _days(past: Past) -> Iterator[Day]:
    evening, by_fashion = _evening_of_the_year(past), drifted(past)
    for number in count(1):
        build, living, *_ = chance_of_day(past, number)
        manners = by_fashion if number >= DRIFTS_FROM else past.world
        world = replace(manners, city=with_new_place(build, evening.world.city))
        visits = _visits(living, past, replace(evening, world=world), midnight(number))
        yield _told(living, past, world, visits, number)
        evening = _evening_after(evening, world, visits)


def _visits(random: np.random.Generator, past: Past, before: _Evening, begins: int) -> Visits:
    """Let as many people as on any day, most of them active ones, go out; ordered by time."""
    year = past.visits.user
    activity = np.bincount(year, minlength=len(before.last)) / len(year)
    steps = max(_FEWEST, round(len(year) / _DAYS_OF_EVENTS))
    lengths = random.multinomial(steps, activity)
    user, place, follows = walk(random, before.world, lengths, before.last)
    at_the_new_place = random.choice(steps, _share(steps, _AT_THE_NEW_PLACE), replace=False)
    place[at_the_new_place] = len(before.world.city.category) - 1
    follows[at_the_new_place] = False
    passed, whole = gaps(random, user, follows)
    leaves = random.random(len(activity))[user]
    of_the_day = leaves + (1 - leaves) * passed / (1 + whole[user])
    at = begins + (of_the_day * DAY_MS).astype(np.int64)
    in_order = np.lexsort((np.arange(steps), at))
    visits = Visits(user, place, at, follows, np.zeros(steps, bool)).of(in_order)
    return replace(visits, is_first=_are_first(visits, before.been))


def _are_first(visits: Visits, been: np.ndarray) -> np.ndarray:
    met = pairs(visits.user, visits.place)
    is_first = np.zeros(len(met), bool)
    is_first[np.unique(met, return_index=True)[1]] = True
    first: np.ndarray = is_first & ~np.isin(met, been)
    return first


def _told(
    random: np.random.Generator, past: Past, world: World, visits: Visits, number: int
) -> Day:
    """Say how the *visits* are told of, and what of the year is told anew beside them."""
    # The year's numbers are far below.
    numbers = [(number << 64) + nth for nth in range(len(visits.user))]
    told = Told(visits, are_liked(random, visits), numbers)
    is_late = _are_late(random, visits.place < len(past.world.city.category))
    late = told.of(is_late)
    days = random.integers(1, _MOST_DAYS_LATE, len(late.numbers), endpoint=True)
    corrected, deleted = changes(random, past, number)
    at = midnight(number) + random.integers(0, DAY_MS, len(deleted.numbers))
    return Day(
        number, world, told.of(~is_late), late.later(-days * DAY_MS), corrected, deleted.at(at)
    )


def _are_late(random: np.random.Generator, was_there: np.ndarray) -> np.ndarray:
    """Choose which visits were on days before, of those to places that were there in the year."""
    is_late = np.zeros(len(was_there), bool)
    likely = np.flatnonzero(was_there)
    is_late[random.choice(likely, _share(len(was_there), _LATE), replace=False)] = True
    return is_late


def _share(visits: int, share: float) -> int:
    return max(_FEWEST_OF_A_KIND, round(visits * share))


def _evening_of_the_year(past: Past) -> _Evening:
    nowhere = np.full(len(past.world.people.home), -1)
    return _evening_after(_Evening(past.world, nowhere, np.array([], int)), past.world, past.visits)


def _evening_after(before: _Evening, world: World, visits: Visits) -> _Evening:
    last = before.last.copy()
    last[visits.user] = visits.place  # of several the newest, for visits are in order
    been = np.union1d(before.been, pairs(visits.user, visits.place))
    return _Evening(world, last, been)
