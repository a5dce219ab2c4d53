"""The shares of a linear sum of counts: each says by itself what comes next.

A share divides 1 among all places, by one thing that was counted; where there is nothing to count
it is all zeros. So the weights of a sum are those of a linear interpolation (Jelinek and Mercer,
Interpolated estimation of Markov source parameters from sparse data, 1980). Needs numpy alone, and
takes one window of a request like thousands of an evaluation.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.counts import DAY, FOLLOWED, HOUR, likeness, scaled
from models_ml.baselines.grouping import Grouping
from models_ml.baselines.item_neighbours import Neighbours
from models_ml.baselines.share_tables import ShareTables
from models_ml.data.event_windows import EventWindows

_LATELY = 20
"""So many of the latest events point to what came right after their places."""
_FADING = 100.0
"""Own visits of a kind fade by e in so many events."""

_AGES = {"own_5": 5.0, "own_20": 20.0, "own_100": 100.0, "own": np.inf}
_OWN_AFTER = ("own_after_place", "own_after_category", "own_after_hour")
_POINTED = {"after": ("after_last", "after_lately"), "near": ("near_last", "near_lately")}
POPULAR = ("popular", "popular_90", "popular_30", "first")
"""In the order of `ShareTables.popularity`."""
OF_TIME = ("own_after_hour", "popular_90", "popular_30")
"""Shares that say nothing where times are made up."""
AFTER_EVENTS = (
    *_AGES,
    *_OWN_AFTER,
    *_POINTED["after"],
    *_POINTED["near"],
    "category",
    "district",
    "category_in_district",
    "own_category",
    "own_district",
    *POPULAR[:-1],
)
"""What there is to weigh after a history.

own_5, own_20, own_100, own  the person's own visits, fading by e in so many events, or never
own_after_place              those that came after a visit to where the person was last
own_after_category           those that came after a place of the last one's first category
own_after_hour               those that came after an event at a like hour of the day
after_last, after_lately     what came right after the last place, or each of the last 20 by 1/age
near_last, near_lately       what co_occurrence has counted after the last place, or after each
category, district           the category (district) that came after the last one, by popularity in
                             it; ``category_in_district`` both at once
own_category, own_district   the person's own categories (districts), by popularity in them
popular, ..._90, ..._30      what is popular, of all time and of so many days
"""
Weights = Mapping[str, float]


class Shares:
    """The shares after each of some windows; places outside the vocabulary count as their groups.

    ``names`` of a sum are those of `AFTER_EVENTS` and `POPULAR`.
    """

    def __init__(self, tables: ShareTables, windows: EventWindows) -> None:
        """Look at *windows*; their events were encoded with the vocabulary of *tables*."""
        self._tables, self._windows = tables, windows
        self._count, self._size = len(windows), len(tables)
        self._past = windows.past
        self._is_known = (self._past.places >= 0) & (self._past.places < self._size)

    def summed(self, weights: Weights) -> NDArray[np.float32]:
        """Add up shares by their *weights*, (B, P)."""
        told = {name: weight for name, weight in weights.items() if weight}
        sums = self._visited({name: told[name] for name in (*_AGES, *_OWN_AFTER) if name in told})
        for table, (last, lately) in _POINTED.items():
            if last in told or lately in told:
                sums += self._pointed(table, told.get(last, 0.0), told.get(lately, 0.0))
        shares: NDArray[np.float32] = sums.astype(np.float32).reshape(self._count, self._size)
        self._add_groups(shares, told)
        for name, popularity in zip(POPULAR, self._tables.popularity, strict=True):
            if name in told:
                shares += np.float32(told[name]) * popularity
        return shares

    def _visited(self, weights: Weights) -> NDArray[np.float64]:
        """Add up the shares of own visits, (B * P,)."""
        past = self._past
        told = np.zeros(len(past.rows))
        for name, weight in weights.items():
            kept = self._own(name) * self._is_known
            told += weight * self._divided(kept, past.rows)
        cells = past.rows * self._size + past.places
        return self._summed(cells[self._is_known], told[self._is_known])

    def _own(self, name: str) -> NDArray[np.float64]:
        """How much each event counts in an own share, (E,)."""
        past, before, last = self._past, self._before, self._last
        if name in _AGES:
            return np.exp(-past.ages / _AGES[name])
        if name == "own_after_hour":
            hours = past.ats % DAY / HOUR
            alike = likeness(hours[before], hours[last])
        else:
            is_of_place = name == "own_after_place"
            of_last = past.places if is_of_place else self._categories.first_of_events
            alike = (of_last[before] == of_last[last]).astype(np.float64)
        faded: NDArray[np.float64] = alike * self._has_before * np.exp(-past.ages / _FADING)
        return faded

    def _pointed(self, name: str, last: float, lately: float) -> NDArray[np.float64]:
        """Add up, by weight, what the last event's place and those of late point to, (B * P,)."""
        table: Neighbours = getattr(self._tables, name)
        most, power = (FOLLOWED, self._tables.follow_power) if name == "near" else (_LATELY, 1.0)
        near = self._is_known & (self._past.ages < (most if lately else 1))
        places, rows, ages = self._past.places[near], self._past.rows[near], self._past.ages[near]
        # Scaled before it is spread: what is wanted is that all that is pointed to sums to 1.
        sums = table.sums[places]
        told = last * self._divided(ages == 0, rows, sums)
        told += lately * self._divided((1.0 + ages) ** -power, rows, sums)
        whose, pointed, strength = table.of(places)
        return self._summed(rows[whose] * self._size + pointed, strength * told[whose])

    def _add_groups(self, shares: NDArray[np.float32], weights: Weights) -> None:
        """Add what categories and districts say to *shares* (B, P)."""
        groups = {"category": self._categories, "district": self._districts}
        both = weights.get("category_in_district", 0.0)
        after = {kind: of.after_last() for kind, of in groups.items() if both or kind in weights}
        for kind, of_kind in groups.items():
            told = [np.float32(weights[kind]) * after[kind]] if kind in weights else []
            if own := weights.get(f"own_{kind}"):
                told.append(np.float32(own) * of_kind.own())
            if told:
                shares += of_kind.grouping.shared_out(sum(told[1:], start=told[0]))
        if both:
            joint = self._tables.by_category.shared_out(after["category"])
            joint *= after["district"][:, self._tables.vocabulary.place_districts]
            shares += np.float32(both) * scaled(joint)

    @cached_property
    def _categories(self) -> "_Groups":
        tables, strangers = self._tables, self._windows.events.stranger_categories
        return _Groups(self._windows, tables.by_category, strangers, tables.categories)

    @cached_property
    def _districts(self) -> "_Groups":
        tables, strangers = self._tables, self._windows.events.stranger_districts
        return _Groups(self._windows, tables.by_district, strangers[:, None], tables.districts)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """The event before each, (E,); of a window's oldest one some other."""
        return np.maximum(np.arange(len(self._past.rows)) - 1, 0)

    @cached_property
    def _has_before(self) -> NDArray[np.bool_]:
        lengths = self._windows.stops - self._windows.starts
        has_before: NDArray[np.bool_] = self._past.ages < lengths[self._past.rows] - 1
        return has_before

    @cached_property
    def _last(self) -> NDArray[np.int64]:
        """The last event of each one's window, (E,)."""
        last: NDArray[np.int64] = self._past.ends[self._past.rows] - 1
        return last

    def _divided(
        self,
        values: NDArray[Any],
        rows: NDArray[np.int64],
        each: NDArray[np.floating] | float = 1.0,
    ) -> NDArray[np.float64]:
        """Scale the *values* of each window so that they, times *each*, sum to 1."""
        sums = np.bincount(rows, weights=values * each, minlength=self._count)
        divided: NDArray[np.float64] = values / np.maximum(1e-12, sums)[rows]
        return divided

    def _summed(self, cells: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(cells, weights=values, minlength=self._count * self._size)
        return sums.astype(np.float64)


class _Groups:
    """What groups of one kind say after each window."""

    def __init__(
        self,
        windows: EventWindows,
        grouping: Grouping,
        strangers: NDArray[np.int64],
        after: Neighbours,
    ) -> None:
        self._past, self._count = windows.past, len(windows)
        self.grouping, self._after = grouping, after
        self._members = grouping.members.and_of(strangers)
        self._has_history = windows.stops > windows.starts

    @property
    def first_of_events(self) -> NDArray[np.int64]:
        """The first group of each event, (E,)."""
        first: NDArray[np.int64] = self._members.tokens[self._past.places, 0]
        return first

    def after_last(self) -> NDArray[np.float32]:
        """What comes after the groups of the last event, (B, G)."""
        last = self._past.places[self._past.ends[self._has_history] - 1]
        whose, groups, parts = self._members.of_events(last)
        which, pointed, strength = self._after.of(groups)
        rows = np.flatnonzero(self._has_history)[whose[which]]
        return self._table(rows, pointed, strength * parts[which])

    def own(self) -> NDArray[np.float32]:
        """What groups the person's events belong to, late ones more, (B, G)."""
        whose, groups, parts = self._members.of_events(self._past.places)
        faded = np.exp(-self._past.ages / _FADING)[whose] * parts
        return self._table(self._past.rows[whose], groups, faded)

    def _table(
        self, rows: NDArray[np.int64], groups: NDArray[np.integer], told: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        size = len(self._after)
        cells = rows * size + groups
        sums = np.bincount(cells, weights=told, minlength=self._count * size)
        table = np.zeros((self._count, size), dtype=np.float32)
        told_of = self.grouping.with_places
        table[:, told_of] = sums.reshape(self._count, size)[:, told_of]
        return scaled(table)
