"""The user vector: what a person likes, not how much they did nor where they live.

A person is the mean of the vectors of the places they chose, each place once
and the rarer the weightier, less what is common to all people. It is a mean,
not a sum: people would else be near to those who did as much as they.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_ml.data.tokens import SPECIAL_TOKENS, EventTokens

PREFIX = "taste."
_PEOPLE_AT_ONCE = 16_384


class TasteError(ValueError):
    """A model folder holds no vectors of places, or those of an earlier version."""


@dataclass(frozen=True)
class Taste:
    """Vectors of places, of what a place never seen may be, and what is common to all people.

    factors     (P, D)      a vector for each known place, its weight included
    categories  (C + 1, D)  the mean of each category's places by token; zeros for no category
    districts   (R + 1, D)  the same for districts
    centre      (D,)        what is subtracted from the mean of a person's places
    """

    factors: NDArray[np.float32]
    categories: NDArray[np.float32]
    districts: NDArray[np.float32]
    centre: NDArray[np.float32]

    @classmethod
    def restore(cls, tensors: Mapping[str, NDArray[np.float32]]) -> "Taste":
        """Find among a model's tensors what `tensors` gave.

        Raises:
            TasteError: some are missing.
        """
        names = list(cls.__dataclass_fields__)
        missing = [PREFIX + name for name in names if PREFIX + name not in tensors]
        if missing:
            raise TasteError(
                f"model.safetensors: {', '.join(missing)} missing, so that people have no vectors. "
                "An earlier version wrote the model; train it again: tastemate train"
            )
        return cls(**{name: tensors[PREFIX + name] for name in names})

    @property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """What was fitted, by its name in ``model.safetensors``."""
        return {PREFIX + name: value for name, value in vars(self).items()}

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""
        return int(self.factors.shape[1])

    def vectors(self, events: EventTokens, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return a vector of unit length for each history, (B, D); zeros where nothing is known.

        A place outside the vocabulary stands for its categories and district.
        """
        strangers = self._strangers(events)
        table = np.concatenate([self.factors, strangers])
        people, places = chosen_places(events, offsets)
        is_told = (places < len(self.factors)) | table[places].any(axis=1)
        means, has_any = mean_places(table, people[is_told], places[is_told], len(offsets) - 1)
        return np.where(has_any[:, None], _unit(means - self.centre), 0).astype(np.float32)

    def _strangers(self, events: EventTokens) -> NDArray[np.float32]:
        """Average what is known of each stranger: its categories together, and its district."""
        tokens = events.stranger_categories
        kinds = self.categories[tokens].sum(axis=1) / at_least_one((tokens > 0).sum(axis=1))
        parts = np.stack([kinds, self.districts[events.stranger_districts]])
        known = at_least_one(parts.any(axis=2).sum(axis=0))
        means: NDArray[np.float32] = parts.sum(axis=0) / known
        return means


def chosen_places(
    events: EventTokens, offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each (person, place) pair once, sorted; strangers come after the known places."""
    people = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    places = events.places[offsets[0] : offsets[-1]] - SPECIAL_TOKENS
    is_place = places >= 0
    width = int(places.max(initial=0)) + 1
    # numpy sorts integers by vector instructions, which `np.unique` does not use.
    pairs = np.sort(people[is_place] * width + places[is_place])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return np.divmod(pairs, width)


def mean_places(
    table: NDArray[np.float32], people: NDArray[np.int64], places: NDArray[np.int64], users: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Average the *table*'s rows of each person's places, (users, D); tell who has any."""
    means = np.zeros((users, table.shape[1]), dtype=np.float32)
    counts = np.bincount(people, minlength=users)
    ends = np.cumsum(counts)
    # Some people at once, for each pair of person and place is a row of its own meanwhile.
    for first in range(0, users, _PEOPLE_AT_ONCE):
        some = first + np.flatnonzero(counts[first : first + _PEOPLE_AT_ONCE])
        if len(some):
            starts = ends[some] - counts[some]
            rows = table[places[starts[0] : ends[some[-1]]]]
            means[some] = np.add.reduceat(rows, starts - starts[0], axis=0)
    return means / at_least_one(counts), counts > 0


def at_least_one(numbers: NDArray[np.number]) -> NDArray[np.floating]:
    """Lay *numbers* out to divide rows by, none below one."""
    return np.maximum(numbers, 1).astype(np.float32)[:, None]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit
