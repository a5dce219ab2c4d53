"""Counts the tables that shares are made from."""

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.co_occurrence import following
from models_ml.baselines.counts import DAY
from models_ml.baselines.grouping import Membership
from models_ml.baselines.item_neighbours import Neighbours, Pairs, co_occurrences, nearest
from models_ml.baselines.share_tables import ShareTables
from models_ml.baselines.tuning import Fit, Settings
from models_ml.data.tokens import SPECIAL_TOKENS

_DAYS = (90, 30)


def count_shares(fit: Fit, counted: NDArray[np.int64], co_occurrence: Settings) -> ShareTables:
    """Count the events at the positions *counted*: of each person the first so many.

    What comes near what is counted as *co_occurrence* was tuned.
    """
    vocabulary, size = fit.vocabulary, len(fit.vocabulary)
    places, users = fit.events.places[counted] - SPECIAL_TOKENS, fit.data.event_users[counted]
    follows = users[1:] == users[:-1]
    pairs = places[:-1][follows], places[1:][follows]
    categories = Membership.of(vocabulary.place_categories)
    districts = Membership.of(vocabulary.place_districts[:, None])
    return ShareTables(
        vocabulary=vocabulary,
        popularity=count_popularity(fit, counted, first_events(fit, counted)),
        after=nearest(co_occurrences(places, users, size, {1: 1.0}), np.ones(size)).normalized,
        near=following(fit, counted)(co_occurrence),
        follow_power=co_occurrence["follow_power"],
        categories=_following_groups(categories, pairs, len(vocabulary.categories) + 1),
        districts=_following_groups(districts, pairs, len(vocabulary.districts) + 1),
    )


def first_events(fit: Fit, among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those *among* some positions at which a person begins."""
    return among[np.isin(among, fit.data.offsets[:-1])]


def count_popularity(
    fit: Fit, counted: NDArray[np.int64], begun: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Count the events *counted* at each place as `ShareTables.popularity`, (4, P).

    *begun* are the positions of people's first events that tell what people begin with.
    """
    places, ats = fit.events.places - SPECIAL_TOKENS, fit.data.ats[counted]
    ages = ats.max(initial=0) - ats
    chosen = counted, *(counted[ages < days * DAY] for days in _DAYS), begun
    counts = np.stack([np.bincount(places[of], minlength=len(fit.vocabulary)) for of in chosen])
    parts = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return parts.astype(np.float32)


def _following_groups(
    members: Membership, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], size: int
) -> Neighbours:
    """Count which of *size* groups comes after which, in *pairs* of places."""
    whose, froms, parts = members.of_events(pairs[0])
    which, tos, others = members.of_events(pairs[1][whose])
    cells = froms[which] * size + tos
    found, positions = np.unique(cells, return_inverse=True)
    sums = np.bincount(positions, weights=parts[which] * others, minlength=len(found))
    table = Pairs(
        (found // size).astype(np.int32), (found % size).astype(np.int32), sums.astype(np.float32)
    )
    return nearest(table, np.ones(size)).normalized
