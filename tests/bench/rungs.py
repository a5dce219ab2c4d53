"""How good a vector of few events is, and one of places never seen.

Halves are interleaved, and nothing was learned from those who are asked.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_ml.data.split import known_events, known_offsets, split
from models_ml.data.tokens import SPECIAL_TOKENS, EventTokens, Vocabulary
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.user_vectors import Taste
from models_ml.user_vectors_fit import fit_taste
from tests.bench.figures import Figure
from tests.bench.halves import EACH, SHORTEST, Floats, interleaved, newest, ranks, read_people
from tests.bench.halves import released as fit_released

COUNTS = (1, 2, 5, 10, 20, 50)
HELD_OUT = 10
NEAREST = 10
Positions = list[NDArray[np.int64]]


def few_events(name: str, folder: Path) -> list[Figure]:
    """Cut the asking half to its newest events, ever fewer; the other half stays whole."""
    people = read_people(folder)
    embed = fit_released(people.of(people.others), people.vocabulary)
    figures = []
    for count in COUNTS:
        one, other = people.halves(newest(count, interleaved, both=False))
        figures.append(_recall(f"{name}: {count} events", ranks(embed(one), embed(other))))
    return figures


@dataclass(frozen=True)
class Unseen:
    """A taste that was fitted without a tenth of the places, and the halves of those asked."""

    taste: Taste
    events: EventTokens
    halves: tuple[Positions, Positions]

    @classmethod
    def read(cls, folder: Path) -> "Unseen":
        """Leave out each tenth place at random and each other person, and fit on the rest."""
        data = read_training_set(folder)
        parts = split(data)
        known, offsets = known_events(data, parts), known_offsets(data, parts)
        drawn = np.random.default_rng(0).integers(0, HELD_OUT, len(data.catalogue))
        asked = np.flatnonzero(np.diff(offsets) >= SHORTEST)[::EACH]
        is_fitted = (drawn[data.places[known]] > 0) & ~np.isin(data.event_users[known], asked)
        vocabulary = Vocabulary.build(data, known[is_fitted])
        events = vocabulary.encode_training_set(data)
        taste = _fit(data, known[is_fitted], events, vocabulary)
        spans = [known[offsets[person] : offsets[person + 1]] for person in asked]
        return cls(taste, events, ([span[::2] for span in spans], [span[1::2] for span in spans]))

    def is_stranger(self, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which events are at places that the taste does not know."""
        return self.events.places[positions] >= SPECIAL_TOKENS + len(self.taste.factors)

    def embed(self, histories: Positions) -> Floats:
        """Turn the events at *histories* into vectors."""
        offsets = np.cumsum([0, *map(len, histories)])
        places = self.events.places[np.concatenate(histories)]
        return self.taste.vectors(replace(self.events, places=places), offsets)


def unseen_places(name: str, folder: Path) -> list[Figure]:
    """Compare what places never seen bring with leaving them out, and let them stand alone."""
    world = Unseen.read(folder)
    firsts, seconds = world.halves
    gallery = world.embed(seconds)
    known = [half[~world.is_stranger(half)] for half in firsts]
    strangers = [half[world.is_stranger(half)] for half in firsts]
    is_able = np.array([len(half) > 0 for half in strangers])
    alone = ranks(world.embed(strangers), gallery)[is_able]
    share = np.mean([world.is_stranger(half).mean() for half in firsts])
    return [
        Figure(f"{name}: share of unseen places", float(share), "", None, "lower", "must"),
        _recall(f"{name}: unseen places told", ranks(world.embed(firsts), gallery)),
        _recall(f"{name}: unseen places left out", ranks(world.embed(known), gallery)),
        _recall(f"{name}: unseen places alone", alone),
        Figure(f"{name}: by chance", NEAREST / len(gallery), "R@10", None, "higher", "must"),
    ]


def _fit(
    data: TrainingSet, chosen: NDArray[np.int64], events: EventTokens, vocabulary: Vocabulary
) -> Taste:
    users = data.event_users[chosen]
    people = np.unique(users)
    offsets = np.append(np.searchsorted(users, people), len(users))
    fitted = replace(events, places=events.places[chosen])
    return fit_taste(fitted, offsets, vocabulary, seed=0)


def _recall(name: str, own: NDArray[np.int64]) -> Figure:
    return Figure(name, float((own <= NEAREST).mean()), f"R@{NEAREST}", None, "higher", "must")
