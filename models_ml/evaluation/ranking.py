"""Ask a recommender for held-out events: where each ranks among all places, what came first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS, History
from models_ml.data.training_set import TrainingSet
from models_ml.metrics import TOP, worst_ranks
from models_ml.recommender import Recommender

_AT_ONCE = 512
_SEED = 0
_PEOPLE = 200


@dataclass(frozen=True)
class Answers:
    """What a recommender said of N targets.

    ranks           (N,)      of the target among all places, 1 the best
    unvisited_ranks (N,)      of the target among the places where the person had not been; a place
                              where they had been ranks behind everything
    tops            (N, TOP)  catalogue rows of the places it put first, best first; -1 where none
                              is left to show
    confidences     (N,)      share of the first place in the softmax of the scores
    """

    ranks: NDArray[np.int64]
    unvisited_ranks: NDArray[np.int64]
    tops: NDArray[np.int64]
    confidences: NDArray[np.float64]


def ask(recommender: Recommender, data: TrainingSet, targets: NDArray[np.int64]) -> Answers:
    """Rank all places for each target, after its user's history before it."""
    begins = data.offsets[data.event_users[targets]]
    positions = recommender.places.positions
    columns = np.array([positions.get(name, -1) for name in data.catalogue.place_ids], np.int64)
    rows_of_columns = np.zeros(len(recommender.places), dtype=np.int64)
    rows_of_columns[columns[columns >= 0]] = np.flatnonzero(columns >= 0)
    known = categories_and_districts(data)
    answers = Answers(
        np.empty(len(targets), dtype=np.int64),
        np.empty(len(targets), dtype=np.int64),
        np.full((len(targets), TOP), -1, dtype=np.int64),
        np.empty(len(targets)),
    )
    lengths = np.minimum(targets - begins, MAX_EVENTS)
    # Of like length together, so that a batch has little to pad.
    order = np.argsort(lengths, kind="stable")
    for first in range(0, len(order), _AT_ONCE):
        rows = order[first : first + _AT_ONCE]
        scores = recommender.score(
            [
                history_before(data, int(target), int(begins[row]), known)
                for row, target in zip(rows, targets[rows], strict=True)
            ]
        )
        seen = [columns[data.places[begins[row] : targets[row]]] for row in rows]
        wanted = columns[data.places[targets[rows]]]
        if recommender.excludes_seen:
            _hide(scores, seen)
        answers.ranks[rows] = worst_ranks(scores, wanted)
        tops = _tops(scores)
        shown = np.where(tops >= 0, rows_of_columns[tops], -1)
        answers.tops[rows, : shown.shape[1]] = shown
        answers.confidences[rows] = _confidences(scores)
        _hide(scores, seen)
        answers.unvisited_ranks[rows] = worst_ranks(scores, wanted)
    return answers


def _hide(scores: NDArray[np.float32], seen: Sequence[NDArray[np.int64]]) -> None:
    """Take the columns *seen* by each row out of its ranking; -1 is no column."""
    for row, columns in enumerate(seen):
        scores[row, columns[columns >= 0]] = -np.inf


def _tops(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the columns of the highest scores, best first; -1 where a place may not be shown."""
    kept = min(TOP, scores.shape[1])
    tops = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
    found = np.take_along_axis(scores, tops, axis=1)
    order = np.lexsort((tops, -found), axis=1)
    tops = np.take_along_axis(tops, order, axis=1)
    return np.where(np.isfinite(np.take_along_axis(scores, tops, axis=1)), tops, -1)


def _confidences(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    highest = scores.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        total = np.exp(scores - highest, dtype=np.float64).sum(axis=1)
    return np.where(np.isfinite(highest[:, 0]), 1 / total, 0.0)


def categories_and_districts(data: TrainingSet) -> dict[str, tuple[list[str], str]]:
    """Tell by place id what a request would read of places that a model may not know."""
    catalogue = data.catalogue
    around = zip(catalogue.category_codes, catalogue.district_codes, strict=True)
    return dict(zip(catalogue.place_ids, around, strict=True))


def history_before(
    data: TrainingSet, event: int, begin: int, places: Mapping[str, tuple[list[str], str]]
) -> History:
    """Return the newest events of one user in ``begin:event``, as a request would bring them."""
    window = slice(max(begin, event - MAX_EVENTS), event)
    names = data.catalogue.place_ids
    return History(
        place_ids=[names[row] for row in data.places[window].tolist()],
        event_kinds=[data.kind_names[kind] for kind in data.kinds[window].tolist()],
        event_ats=data.ats[window].tolist(),
        event_ratings=data.ratings[window].tolist(),
        unknown_places=places,
    )


def some_people(data: TrainingSet) -> list[History]:
    """Choose some people, each with all that they did."""
    generator = np.random.default_rng(_SEED)
    ends = data.offsets[1:][np.diff(data.offsets) > 0]
    chosen = np.sort(generator.permutation(ends)[:_PEOPLE])
    known = categories_and_districts(data)
    begins = data.offsets[data.event_users[chosen - 1]]
    return [
        history_before(data, int(end), int(begin), known)
        for begin, end in zip(begins, chosen, strict=True)
    ]
