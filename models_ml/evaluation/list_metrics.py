"""Beyond accuracy: coverage, novelty, diversity and popularity bias of recommended lists."""

import numpy as np
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_CATEGORIES
from models_ml.data.training_set import PlaceTable
from models_ml.evaluation.report import ListFigures

_LISTS_AT_ONCE = 2000


def describe_lists(
    tops: NDArray[np.int64],
    targets: NDArray[np.int64],
    catalogue: PlaceTable,
    counts: NDArray[np.int64],
) -> ListFigures:
    """Return coverage, novelty, diversity and popularity of lists of catalogue rows.

    tops     (N, K)  places shown, -1 where a list ends sooner
    targets  (N,)    places that people went to
    counts   (P,)    events of each place in the training part

    ``coverage``: the share of the places with events that anybody is shown.
    ``novelty``: the mean surprise of what is shown, -log2 of its share of all events, in bits
    (Vargas and Castells, RecSys 2011). ``diversity``: the mean distance within a list, 1 less the
    Jaccard likeness of two places' categories; none where no place has categories.
    ``popularity``: how often what is shown is visited, as a multiple of what people go to.
    """
    is_shown = tops >= 0
    shown = tops[is_shown]
    if len(shown) == 0:
        return ListFigures(coverage=0.0, novelty=0.0, diversity=None, popularity=0.0)
    often = np.maximum(counts, 1)
    return ListFigures(
        coverage=float(len(np.unique(shown)) / max(1, int(np.count_nonzero(counts)))),
        novelty=float(-np.log2(often[shown] / often.sum()).mean()),
        diversity=_diversity(tops, catalogue),
        popularity=float(counts[shown].mean()) / max(1e-12, float(counts[targets].mean())),
    )


def _diversity(tops: NDArray[np.int64], catalogue: PlaceTable) -> float | None:
    names = sorted({code for codes in catalogue.category_codes for code in codes})
    if not names:
        return None
    numbers = {name: number for number, name in enumerate(names)}
    indicators = np.zeros((len(catalogue) + 1, len(names)), dtype=np.float32)
    for row, codes in enumerate(catalogue.category_codes):
        indicators[row, [numbers[code] for code in codes[:MAX_CATEGORIES]]] = 1
    distance, pairs = 0.0, 0
    upper = np.triu(np.ones((tops.shape[1], tops.shape[1]), dtype=bool), k=1)
    for begin in range(0, len(tops), _LISTS_AT_ONCE):
        lists = tops[begin : begin + _LISTS_AT_ONCE]
        categories = indicators[lists]
        both = categories @ categories.transpose(0, 2, 1)
        sizes = categories.sum(axis=2)
        either = sizes[:, :, None] + sizes[:, None, :] - both
        is_pair = upper & (lists >= 0)[:, :, None] & (lists >= 0)[:, None, :] & (either > 0)
        distance += float((1 - both[is_pair] / either[is_pair]).sum())
        pairs += int(is_pair.sum())
    return distance / pairs if pairs else None
