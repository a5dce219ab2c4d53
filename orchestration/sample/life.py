"""A year in the city: who went where, when, and what they left behind of it.

Each step is a wish for a category, and then a place for the wish. The wish comes from taste,
or follows from where one just was; the place is the person's favourite of that category, or
one nearby. So what comes next depends on the last category, the taste and the person's own
past together, which counting pairs of places sees only thinly.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from orchestration.sample.city import SLOTS, City, People, follow_ups, pick

FIRST_DAY = np.datetime64("2025-07-01T06:00:00", "ms")
LAST_DAY = np.datetime64("2026-06-30T22:00:00", "ms")
"""When the year begins and ends as it is lived; `dates.py` tells how far it is moved."""
_FOLLOWS = 0.5
"""How often a step follows from the one before."""
_NEXT_SOON = 0.04
"""How much sooner a step follows the one before than it would come by itself."""


@dataclass(frozen=True)
class Visits:
    """What happened, ordered by time; all of the same length.

    at  milliseconds since 1970
    """

    user: np.ndarray
    place: np.ndarray
    at: np.ndarray
    is_follow_up: np.ndarray
    is_first: np.ndarray

    def of(self, chosen: np.ndarray) -> "Visits":
        """Give those *chosen*, by a mask or by positions."""
        return Visits(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def later(self, milliseconds: np.ndarray | int) -> "Visits":
        """Give the same visits at another time."""
        return replace(self, at=self.at + milliseconds)

    @classmethod
    def joined(cls, *parts: "Visits") -> "Visits":
        """Give the visits of all *parts*, one part after the other."""
        columns = (
            np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)
        )
        return cls(*columns)


@dataclass(frozen=True)
class World:
    """Where people live, who they are, and how they go on.

    after  (K, C)  what comes after a category for people of a taste
    """

    city: City
    people: People
    after: np.ndarray


def live(
    random: np.random.Generator, city: City, people: People, events: int
) -> tuple[World, Visits]:
    """Let the people live for a year, making *events* visits in all."""
    lengths = _activity(random, len(people.home), events)
    world = World(city, people, follow_ups(random))
    nowhere = np.full(len(people.home), -1)
    return world, _dated(random, *walk(random, world, lengths, nowhere))


def walk(
    random: np.random.Generator, world: World, lengths: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let each person take *lengths* steps from where they were *last*, -1 being nowhere.

    Returns user, place and whether the step followed from the one before: by user, each one's steps
    in their order.
    """
    city, people, after = world.city, world.people, world.after
    # The most active first, so that those still at it are always the first few.
    order = np.argsort(-lengths, kind="stable")
    lengths_left = lengths[order]
    wishes = people.wishes.cumsum(1)[order]
    tastes = people.tastes.cumsum(1)[order]
    home, favourites = people.home[order], people.favourites[order]
    loyalty = people.loyalty[order]
    last = last[order]
    steps = []
    for step in range(int(lengths_left[0]) if len(order) else 0):
        count = int(np.searchsorted(-lengths_left, -step, side="left"))
        who = np.arange(count)
        draw = random.random((5, count))
        wished = pick(wishes[:count], draw[0])
        follows = (draw[1] < _FOLLOWS) & (last[:count] >= 0)
        before = city.category[last[:count]]
        category = np.where(follows, after[pick(tastes[:count], draw[2]), before], wished)
        start = np.where(follows, city.district[last[:count]], home[:count])
        nearby = city.nearby[start, category, (draw[3] * SLOTS).astype(int)]
        is_loyal = draw[4] < loyalty[:count]
        place = np.where(is_loyal, favourites[who, category], nearby)
        last[:count] = place
        steps.append(np.stack([order[:count], place, follows]))
    user, place, follows = np.concatenate(steps, axis=1)
    by_user = np.argsort(user, kind="stable")
    return user[by_user], place[by_user], follows[by_user].astype(bool)


def _activity(random: np.random.Generator, users: int, events: int) -> np.ndarray:
    """Share *events* out among people, most to a few, at least three to each where it suffices."""
    least = min(3, events // users)
    share = random.lognormal(0, 0.9, users).clip(max=8)
    extra: np.ndarray = random.multinomial(events - least * users, share / share.sum())
    return extra + least


def _dated(
    random: np.random.Generator, user: np.ndarray, place: np.ndarray, follows: np.ndarray
) -> Visits:
    """Spread each person's steps over the part of the year in which they are about."""
    passed, whole = gaps(random, user, follows)
    count = np.bincount(user)
    year = (LAST_DAY - FIRST_DAY).astype(int)
    joined = random.random(len(count)) * 0.6
    left = 1 - random.random(len(count)) * 0.1
    share = joined[user] + (left - joined)[user] * passed / whole[user]
    at = FIRST_DAY.astype(int) + (share * year).astype(np.int64)
    is_first = np.zeros(len(user), bool)
    is_first[np.unique(pairs(user, place), return_index=True)[1]] = True
    by_time = np.lexsort((np.arange(len(user)), at))
    return Visits(user, place, at, follows, is_first).of(by_time)


def gaps(
    random: np.random.Generator, user: np.ndarray, follows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw how much time passes before each step, in units of each person's own.

    Returns what has passed at each step since the person began, and in all by user.
    """
    gap = random.exponential(1.0, len(user)) * np.where(follows, _NEXT_SOON, 1.0) + 1e-4
    count = np.bincount(user)
    begins = np.concatenate([[0], count.cumsum()[:-1]])
    passed = gap.cumsum()
    passed -= (passed[begins.clip(max=len(passed) - 1)] - gap[begins.clip(max=len(gap) - 1)])[user]
    return passed, np.bincount(user, gap)


def pairs(user: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Give each pair of a person and a place one number."""
    return user.astype(np.int64) << 32 | place


def affinity(people: People, city: City, visits: Visits) -> np.ndarray:
    """Say how much each visit is to the visitor's taste: 0 not at all, 1 as much as it can be."""
    liked = people.wishes / people.wishes.max(1, keepdims=True)
    told: np.ndarray = liked[visits.user, city.category[visits.place]]
    return told
