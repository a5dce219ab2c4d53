"""A made-up city: districts on a grid, places in them, tastes, and people with both.

Taste and district are confounded: people of a taste tend to live in the same parts of the
city, but not all of them do, so that a neighbour in space is not yet a neighbour in taste.
"""

from dataclasses import dataclass

import numpy as np

CATEGORIES = (
    "cafe", "bakery", "ramen", "sushi", "taqueria", "pizzeria", "burger_bar", "vegan_kitchen",
    "juice_bar", "tea_house", "wine_bar", "cocktail_bar", "brewpub", "jazz_bar", "night_club",
    "karaoke", "concert_hall", "theatre", "cinema", "comedy_club", "gallery", "museum", "bookshop",
    "record_shop", "library", "gym", "yoga_studio", "climbing_hall", "swimming_pool", "spa", "park",
    "garden", "playground", "zoo", "toy_shop", "ice_cream", "farmers_market", "flea_market",
    "arcade", "board_game_cafe",
)  # fmt: skip
TASTES = 8
DISTRICTS_A_SIDE = 4
CORE_CATEGORIES = 8
"""How many categories a taste is about; with 8 tastes and 40 categories they overlap."""
_SOUTH_WEST = (40.60, -74.05)
_DISTRICT_DEGREES = 0.025
_REACH = 0.9
"""Over how many districts' width the wish to go somewhere falls to a third."""
SLOTS = 256
_SLOTS_OF_A_NEW_PLACE = 16


@dataclass(frozen=True)
class City:
    """What stands in the city.

    category, second_category  (P,)  index into CATEGORIES; -1 where there is no second
    district                   (P,)
    latitude, longitude        (P,)
    nearby                     (D, C, SLOTS)  places of a category, each as often as it is
                                              chosen by who starts in the district
    """

    category: np.ndarray
    second_category: np.ndarray
    district: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    nearby: np.ndarray


@dataclass(frozen=True)
class People:
    """Who lives there.

    tastes      (U, K)  how much of each taste, summing to 1
    home        (U,)    district
    favourites  (U, C)  the place that a person thinks of first in each category
    loyalty     (U,)    how often it is that place
    wishes      (U, C)  how often each category is wished for
    """

    tastes: np.ndarray
    home: np.ndarray
    favourites: np.ndarray
    loyalty: np.ndarray
    wishes: np.ndarray
    is_discoverable: np.ndarray


def build_city(random: np.random.Generator, places: int) -> City:
    """Put *places* into the city; every category has at least one."""
    districts = DISTRICTS_A_SIDE**2
    category = np.concatenate(
        [
            np.arange(len(CATEGORIES)),
            random.choice(len(CATEGORIES), max(0, places - len(CATEGORIES))),
        ]
    )[:places]
    second = random.choice(len(CATEGORIES), places)
    has_second = (random.random(places) < 0.4) & (second != category)  # noqa: PLR2004
    # Some districts are denser than others.
    district = random.choice(districts, places, p=random.dirichlet(np.full(districts, 3.0)))
    row, column = np.divmod(district, DISTRICTS_A_SIDE)
    popularity = random.lognormal(0, 0.8, places)
    return City(
        category=category,
        second_category=np.where(has_second, second, -1),
        district=district,
        latitude=_SOUTH_WEST[0] + (row + random.random(places)) * _DISTRICT_DEGREES,
        longitude=_SOUTH_WEST[1] + (column + random.random(places)) * _DISTRICT_DEGREES,
        nearby=_nearby(category, district, popularity),
    )


def with_new_place(random: np.random.Generator, city: City) -> City:
    """Open a place, the last of the city's; some of who look for its category find it."""
    category = random.integers(len(CATEGORIES))
    district = random.integers(DISTRICTS_A_SIDE**2)
    row, column = divmod(district, DISTRICTS_A_SIDE)
    latitude, longitude = (
        corner + (districts + random.random()) * _DISTRICT_DEGREES
        for corner, districts in zip(_SOUTH_WEST, (row, column), strict=True)
    )
    nearby = city.nearby.copy()
    slots = random.choice(SLOTS, _SLOTS_OF_A_NEW_PLACE, replace=False)
    nearby[:, category, slots] = len(city.category)
    return City(
        category=np.append(city.category, category),
        second_category=np.append(city.second_category, -1),
        district=np.append(city.district, district),
        latitude=np.append(city.latitude, latitude),
        longitude=np.append(city.longitude, longitude),
        nearby=nearby,
    )


def build_people(random: np.random.Generator, city: City, users: int) -> People:
    """Let *users* people live in *city*."""
    tastes = _tastes_of(random, users)
    wishes = tastes @ taste_categories(random)
    home = _homes_of(random, tastes.argmax(1))
    slots = random.integers(0, SLOTS, (users, len(CATEGORIES)))
    return People(
        tastes=tastes,
        home=home,
        favourites=city.nearby[home[:, None], np.arange(len(CATEGORIES))[None, :], slots],
        loyalty=random.beta(6, 5, users),
        wishes=wishes,
        is_discoverable=random.random(users) >= 0.05,  # noqa: PLR2004
    )


def taste_categories(random: np.random.Generator) -> np.ndarray:
    """Say how often each taste wishes for each category: (K, C), rows summing to 1."""
    weights = np.full((TASTES, len(CATEGORIES)), 0.06)
    for taste in range(TASTES):
        core = random.choice(len(CATEGORIES), CORE_CATEGORIES, replace=False)
        weights[taste, core] += random.gamma(3.0, 1.0, CORE_CATEGORIES)
    return _shares(weights)


def follow_ups(random: np.random.Generator) -> np.ndarray:
    """Say what comes after a category for people of a taste: (K, C) categories.

    After the gym the juice bar, for some; for others the sauna. One half of what follows is
    the same for everyone in the city, the other is the taste's own.
    """
    shared = random.permutation(len(CATEGORIES))
    own = np.stack([random.permutation(len(CATEGORIES)) for _ in range(TASTES)])
    is_shared = random.random((TASTES, len(CATEGORIES))) < 0.5  # noqa: PLR2004
    return np.where(is_shared, shared, own)


def _tastes_of(random: np.random.Generator, users: int) -> np.ndarray:
    """Give each person one to three tastes, unevenly."""
    count = random.choice([1, 2, 3], users, p=[0.4, 0.4, 0.2])
    rank = random.random((users, TASTES)).argsort(1).argsort(1)
    weights = np.where(rank < count[:, None], random.gamma(1.2, 1.0, (users, TASTES)) + 1e-3, 0)
    return _shares(weights)


def _shares(weights: np.ndarray) -> np.ndarray:
    """Scale rows to sum to 1."""
    shares: np.ndarray = weights / weights.sum(1, keepdims=True)
    return shares


def pick(cumulated: np.ndarray, random: np.ndarray) -> np.ndarray:
    """Pick one column per row, the rows being cumulated weights and *random* from 0 to 1."""
    picked: np.ndarray = (cumulated < random[:, None]).sum(1)
    return picked.clip(max=cumulated.shape[1] - 1)


def _homes_of(random: np.random.Generator, main_taste: np.ndarray) -> np.ndarray:
    """Settle people: each taste prefers a few districts, four times as much as any other."""
    districts = DISTRICTS_A_SIDE**2
    weights = np.ones((TASTES, districts))
    for taste in range(TASTES):
        weights[taste, random.choice(districts, 3, replace=False)] += 4
    return pick(_shares(weights).cumsum(1)[main_taste], random.random(len(main_taste)))


def _nearby(category: np.ndarray, district: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Lay out SLOTS for each district and category, filled in proportion to pull."""
    districts = np.arange(DISTRICTS_A_SIDE**2)
    here, there = np.divmod(districts, DISTRICTS_A_SIDE), np.divmod(district, DISTRICTS_A_SIDE)
    away = np.hypot(here[0][:, None] - there[0], here[1][:, None] - there[1])
    pull = popularity * np.exp(-away / _REACH)
    middles = (np.arange(SLOTS) + 0.5) / SLOTS
    nearby = np.empty((len(districts), len(CATEGORIES), SLOTS), np.int32)
    for code in range(len(CATEGORIES)):
        members = np.flatnonzero(category == code)
        if not len(members):  # a hamlet of fewer places than categories
            members = np.arange(len(category))
        for start in districts:
            reached = pull[start, members].cumsum()
            nearby[start, code] = members[np.searchsorted(reached / reached[-1], middles)]
    return nearby
