"""What is counted for a linear sum of shares: what is popular, and what comes after what."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.grouping import Grouping, Membership
from models_ml.baselines.item_neighbours import Neighbours
from models_ml.data.tokens import Vocabulary

PREFIX = "shares."


@dataclass(frozen=True)
class ShareTables:
    """Counts of some events; but for ``near``, what is pointed to sums to 1, or to nothing.

    popularity  (4, P)  parts of all events, of those in the last 90 and 30 days, and of first ones
    after               what came right after each place
    near                what `co_occurrence` has counted after it, as that was tuned
    follow_power        how fast what `near` says fades: by (1 + age) ** -follow_power
    categories          which category came right after each, by token
    districts           which district did
    """

    vocabulary: Vocabulary
    popularity: NDArray[np.float32]
    after: Neighbours
    near: Neighbours
    follow_power: float
    categories: Neighbours
    districts: Neighbours

    _POINTING: ClassVar = ("after", "near", "categories", "districts")

    @classmethod
    def restore(
        cls, vocabulary: Vocabulary, tensors: Mapping[str, NDArray[Any]], follow_power: float
    ) -> "ShareTables":
        """Put together what `tensors` gave."""
        pointing = {name: Neighbours.restore(f"{PREFIX}{name}.", tensors) for name in cls._POINTING}
        popularity = tensors[f"{PREFIX}popularity"]
        return cls(vocabulary, popularity, follow_power=follow_power, **pointing)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted, by name."""
        told: dict[str, NDArray[Any]] = {f"{PREFIX}popularity": self.popularity}
        for name in self._POINTING:
            told |= getattr(self, name).tensors(f"{PREFIX}{name}.")
        return told

    def __len__(self) -> int:
        """Count the places, P."""
        return self.popularity.shape[1]

    @cached_property
    def by_category(self) -> Grouping:
        """How categories are shared out."""
        members = Membership.of(self.vocabulary.place_categories)
        return Grouping.of(members, self.popularity[0])

    @cached_property
    def by_district(self) -> Grouping:
        """How districts are."""
        members = Membership.of(self.vocabulary.place_districts[:, None])
        return Grouping.of(members, self.popularity[0])
