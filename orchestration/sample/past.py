"""The city, its people and their year, as a seed makes them."""

from dataclasses import dataclass

import numpy as np

from orchestration.sample.city import build_city, build_people
from orchestration.sample.life import Visits, World, live

EVENTS = 120_000
_EVENTS_A_USER = 60
_PLACES = 1_500
"""How many places a city of EVENTS has."""
_DAYS = 4
"""What tells the streams of days from the city's own, which have the numbers 0 to 3."""
_LIKED_AT_FIRST, _LIKED_AGAIN = 0.75, 0.3


class SampleError(Exception):
    """A city of the size asked for cannot be."""


@dataclass(frozen=True)
class Size:
    """How large a city is."""

    users: int
    places: int
    events: int

    @classmethod
    def of(cls, events: int, *, users: int | None = None, places: int | None = None) -> "Size":
        """Let a city grow with its *events*, but for what is given.

        Raises:
            SampleError: there are more users than events.
        """
        users = users or max(20, events // _EVENTS_A_USER)
        if events < users:
            raise SampleError(f"events is {events}; it must be at least the {users} users.")
        grown = max(80, int(_PLACES * (events / EVENTS) ** 0.5))
        return cls(users, places or grown, events)


@dataclass(frozen=True)
class Past:
    """What a seed makes.

    is_like  (N,)  which visits were liked; the others were reviewed
    """

    seed: int
    world: World
    visits: Visits
    is_like: np.ndarray


def past_of(seed: int, size: Size) -> Past:
    """Make city, people and year; the same arguments make the same."""
    build, living, *_ = chance_of_city(seed)
    city = build_city(build, size.places)
    people = build_people(build, city, size.users)
    world, visits = live(living, city, people, size.events)
    return Past(seed, world, visits, are_liked(living, visits))


def chance_of_city(seed: int) -> list[np.random.Generator]:
    """Give the streams of chance of a city: build, live, write, soil.

    One for each, so that a change in one part leaves the others as they were.
    """
    return _streams(seed)


def chance_of_day(past: Past, number: int) -> list[np.random.Generator]:
    """Give the streams of chance of a day after the year: build, live, write, soil."""
    return _streams(past.seed, _DAYS, number)


def chance_of_all_days(past: Past) -> list[np.random.Generator]:
    """Give the streams of chance of what is one for all days: fashion, what changes."""
    return _streams(past.seed, _DAYS, 0)


def _streams(seed: int, *of: int) -> list[np.random.Generator]:
    parts = np.random.SeedSequence(seed, spawn_key=of).spawn(4)
    return [np.random.default_rng(part) for part in parts]


def are_liked(random: np.random.Generator, visits: Visits) -> np.ndarray:
    """Say which *visits* leave a like; the others leave a review."""
    likely = np.where(visits.is_first, _LIKED_AT_FIRST, _LIKED_AGAIN)
    liked: np.ndarray = random.random(len(visits.user)) < likely
    return liked
