"""Halves of histories, and whether a person's other half is near: for the benchmarks of vectors.

A history is a row of places, each once: a sparse matrix, people by places of the vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import rankdata

from models_ml.data.split import split
from models_ml.data.tokens import MAX_CATEGORIES, SPECIAL_TOKENS, EventTokens, Vocabulary
from models_ml.data.training_set import read_training_set
from models_ml.user_vectors_fit import fit_taste
from serving.hubness import nearness, usual_likeness

if TYPE_CHECKING:
    from models_ml.user_vectors import Taste

SHORTEST = 20
EACH = 2
ROWS_AT_ONCE = 512
LOOKED_AT = 500
Floats = NDArray[np.floating]
Embed = Callable[[csr_matrix], Floats]
Places = NDArray[np.int64]
Cut = Callable[[Places, np.random.Generator], tuple[Places, Places]]


@dataclass(frozen=True)
class People:
    """Everybody's places before their targets, oldest first, and of whom halves are asked."""

    vocabulary: Vocabulary
    histories: list[Places]
    asked: NDArray[np.int64]

    @property
    def others(self) -> NDArray[np.int64]:
        """Those of whom no half is asked."""
        return np.setdiff1d(np.arange(len(self.histories)), self.asked)

    def rows(self, histories: list[Places]) -> csr_matrix:
        """Lay *histories* out as people by places, each place once."""
        offsets = np.cumsum([0, *map(len, histories)])
        ones = np.ones(offsets[-1], dtype=np.float32)
        shape = (len(histories), len(self.vocabulary))
        matrix = csr_matrix((ones, np.concatenate(histories), offsets), shape=shape)
        matrix.sum_duplicates()
        matrix.data[:] = 1
        return matrix

    def of(self, people: NDArray[np.int64]) -> csr_matrix:
        """Lay out the whole histories of *people*."""
        return self.rows([self.histories[person] for person in people])

    def halves(self, cut: Cut) -> tuple[csr_matrix, csr_matrix]:
        """Cut the histories of those asked in two."""
        random = np.random.default_rng(0)
        pairs = [cut(self.histories[person], random) for person in self.asked]
        return self.rows([one for one, _ in pairs]), self.rows([other for _, other in pairs])


def read_people(folder: Path) -> People:
    """Read the training part of the set in *folder*; every other person of 20 events is asked."""
    data = read_training_set(folder)
    ends = split(data).ends
    starts = data.offsets[:-1]
    known = np.concatenate([np.arange(*span) for span in zip(starts, ends, strict=True)])
    vocabulary = Vocabulary.build(data, known)
    places = vocabulary.encode_training_set(data).places - SPECIAL_TOKENS
    histories = [places[start:end] for start, end in zip(starts, ends, strict=True)]
    return People(vocabulary, histories, np.flatnonzero(ends - starts >= SHORTEST)[::EACH])


def interleaved(places: Places, _: np.random.Generator) -> tuple[Places, Places]:
    """Give every other event to either half."""
    return places[::2], places[1::2]


def at_random(places: Places, random: np.random.Generator) -> tuple[Places, Places]:
    """Give half of the events, drawn at random, to either half."""
    drawn = random.permutation(len(places))
    middle = len(places) // 2
    return places[np.sort(drawn[:middle])], places[np.sort(drawn[middle:])]


def by_time(places: Places, _: np.random.Generator) -> tuple[Places, Places]:
    """Give the earlier events to one half and the later to the other."""
    middle = len(places) // 2
    return places[:middle], places[middle:]


def newest(count: int, cut: Cut, *, both: bool = True) -> Cut:
    """Leave of the first half of *cut*, or of both, the newest *count* events."""

    def shortened(places: Places, random: np.random.Generator) -> tuple[Places, Places]:
        one, other = cut(places, random)
        return one[-count:], other[-count:] if both else other

    return shortened


def tokens(rows: csr_matrix) -> tuple[EventTokens, NDArray[np.int64]]:
    """Lay *rows* out as the events that `models_ml.user_vectors` reads."""
    places = rows.indices.astype(np.int64) + SPECIAL_TOKENS
    nothing = np.zeros(0, dtype=np.int64)
    no_strangers = np.zeros((0, MAX_CATEGORIES), dtype=np.int64)
    events = EventTokens(places, nothing, nothing, no_strangers, nothing)
    return events, rows.indptr.astype(np.int64)


def released(fitted: csr_matrix, vocabulary: Vocabulary) -> Embed:
    """Fit the released vector on *fitted*."""
    taste: Taste = fit_taste(*tokens(fitted), vocabulary, seed=0)
    return lambda rows: taste.vectors(*tokens(rows))


def with_usual(firsts: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Add a column to both, so that their product is the nearness by which an index ranks."""
    usual = usual_likeness(seconds.astype(np.float32))
    ones = np.ones(len(firsts), dtype=np.float32)
    taken_off = nearness(np.zeros_like(usual), usual)
    return np.column_stack([firsts, ones]), np.column_stack([seconds, taken_off])


def ranks(
    firsts: Floats, seconds: Floats, groups: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Rank each first half's own second among all, or among those of its group; ties against it."""
    found = np.empty(len(firsts), dtype=np.int64)
    for start in range(0, len(firsts), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        likeness = firsts[part] @ seconds.T
        own = np.take_along_axis(likeness, np.arange(len(firsts))[part, None], axis=1)
        is_before = likeness >= own
        if groups is not None:
            is_before &= groups[part, None] == groups
        found[part] = is_before.sum(axis=1)
    return found


def deciles(values: Floats) -> NDArray[np.int64]:
    """Number the tenth in which each of *values* lies."""
    return np.searchsorted(np.quantile(values, np.arange(0.1, 1, 0.1)), values)


def follows(firsts: Floats, seconds: Floats, values: Floats) -> float:
    """Correlate, by rank, how near people are with how alike their *values* are.

    1 where nearness is nothing but likeness in that value, 0 where it has no part in it. The first
    `LOOKED_AT` people look at all others.
    """
    some = slice(LOOKED_AT)
    likeness = rankdata(firsts[some] @ seconds.T, axis=1)
    alike = rankdata(-np.abs(values[some, None] - values), axis=1)
    np.fill_diagonal(likeness, np.nan)
    centred = [rows - np.nanmean(rows, axis=1, keepdims=True) for rows in (likeness, alike)]
    both = ~np.isnan(likeness)
    one, other = (rows[both] for rows in centred)
    return float((one @ other) / np.sqrt((one @ one) * (other @ other)))
