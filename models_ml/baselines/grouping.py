"""Groups of places (categories or districts): who belongs to which, and how popular within it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Membership:
    """Which groups each of some places belongs to: in equal parts, group 0 where to none.

    tokens  (N, G)  groups of each place, 0 for no further one
    parts   (N, G)  the part of the place that belongs to each, summing to 1
    """

    tokens: NDArray[np.int64]
    parts: NDArray[np.float64]

    @classmethod
    def of(cls, tokens: NDArray[np.int64]) -> "Membership":
        """Share each place out among its groups, *tokens* (N, G)."""
        belongs = tokens > 0
        belongs[:, 0] |= ~belongs.any(axis=1)
        return cls(tokens, belongs / belongs.sum(axis=1, keepdims=True))

    def and_of(self, strangers: NDArray[np.int64]) -> "Membership":
        """Add places that are not among them, with their groups, *strangers* (S, G)."""
        if not len(strangers):
            return self
        other = Membership.of(strangers)
        return Membership(
            np.concatenate([self.tokens, other.tokens]), np.concatenate([self.parts, other.parts])
        )

    def of_events(
        self, places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """List the groups of each of *places* (E,): whose by position, which, and what part."""
        whose, column = np.nonzero(self.parts[places])
        places = places[whose]
        return whose, self.tokens[places, column], self.parts[places, column]


@dataclass(frozen=True)
class Grouping:
    """How what is said of groups is shared out among their places, by popularity within each.

    members           which place belongs to which groups
    groups  (M,)      the group of each pair of a place and a group of it, pairs by place
    within  (M,)      the place's part of all that happens in the group
    begins  (P,)      where the pairs of each place begin
    """

    members: Membership
    groups: NDArray[np.int64]
    within: NDArray[np.float32]
    begins: NDArray[np.int64]

    @classmethod
    def of(cls, members: Membership, popularity: NDArray[np.floating]) -> "Grouping":
        """Divide each group by the *popularity* (P,) of its places."""
        size = len(popularity)
        places, groups, parts = members.of_events(np.arange(size))
        told = popularity[places] * parts
        within = told / np.maximum(1e-12, np.bincount(groups, weights=told)[groups])
        begins = np.searchsorted(places, np.arange(size))
        return cls(members, groups, within.astype(np.float32), begins)

    @cached_property
    def with_places(self) -> NDArray[np.int64]:
        """The groups that have places; what is said of another one would be lost."""
        return np.unique(self.groups)

    def shared_out(self, told: NDArray[np.float32]) -> NDArray[np.float32]:
        """Share out among places what is *told* (B, G) of groups, (B, P)."""
        each: NDArray[np.float32] = told[:, self.groups] * self.within
        if len(self.groups) > len(self.begins):
            each = np.add.reduceat(each, self.begins, axis=1)
        return each
