"""Behavioural tests: what a model must do whatever its figures are.

After Ribeiro et al., Beyond Accuracy: Behavioral Testing of NLP Models with CheckList (ACL 2020):
invariance, direction, minimum function. People's own histories are changed a little, and the
answers before and after compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS, History
from models_ml.evaluation.behaviour_limits import CLAIMS, FIRST, MORE
from models_ml.evaluation.report import BehaviourFigure
from models_ml.recommender import Recommender

_LENGTHS = (0, 1, 2, 10, MAX_EVENTS - 1, MAX_EVENTS, MAX_EVENTS + 50)
_LONG = 10
_UNHEARD_OF = "a place that nobody has been to"


def behaviours(
    recommender: Recommender, histories: Sequence[History], seed: int = 0
) -> list[BehaviourFigure]:
    """Try *recommender* on *histories* of real people, and on changed ones."""
    generator = np.random.default_rng(seed)
    with_events = [history for history in histories if history.place_ids]
    # Of a short history each event is much, and the answers may well change with it.
    longer = [history for history in with_events if len(history.place_ids) >= _LONG]
    single = [_chosen(history, np.array([0])) for history in with_events]

    def kept(
        histories: list[History],
        before: Callable[[History], History],
        after: Callable[[History], History],
    ) -> float | None:
        return _share_kept(recommender, list(map(before, histories)), list(map(after, histories)))

    values = {
        "any_length": _share_finite(
            recommender, [_lengthened(with_events, length) for length in _LENGTHS]
        ),
        "one_event": _share_told_apart(recommender, single + [_unheard_of(one) for one in single]),
        "unheard_of_places": _share_told_apart(
            recommender, [_unheard_of(one) for one in with_events]
        ),
        "renamed_place": kept(
            with_events, _with_stranger("one name"), _with_stranger("another name")
        ),
        "equal_times": kept(longer, _at_once, lambda history: _swapped(_at_once(history))),
        "added_duplicate": kept(longer, _same, _doubled),
        "dropped_tenth": kept(longer, _same, lambda history: _thinned(history, generator)),
        "more_of_a_category": _share_raised(recommender, with_events, generator),
    }
    return [_judged(name, values[name]) for name in CLAIMS]


def _judged(name: str, value: float | None) -> BehaviourFigure:
    """Hold a figure against its claim. Without a figure there was nothing to test."""
    claim = CLAIMS[name]
    passed = value is None or value >= claim.least
    return BehaviourFigure(name, claim.text, value, claim.least, passed)


def _share_finite(recommender: Recommender, histories: list[History]) -> float:
    return float(np.isfinite(recommender.score(histories)).all(axis=1).mean())


def _share_told_apart(recommender: Recommender, histories: list[History]) -> float | None:
    if not histories:
        return None
    scores = recommender.score(histories)
    apart = np.isfinite(scores).all(axis=1) & (scores.max(axis=1) > scores.min(axis=1))
    return float(apart.mean())


def _share_kept(
    recommender: Recommender, before: list[History], after: list[History]
) -> float | None:
    """Return the mean share of the first places that stay first."""
    if not before:
        return None
    pairs = zip(_first_places(recommender, before), _first_places(recommender, after), strict=True)
    return float(np.mean([len(np.intersect1d(*pair)) / len(pair[0]) for pair in pairs]))


def _first_places(recommender: Recommender, histories: list[History]) -> NDArray[np.int64]:
    scores = recommender.score(histories)
    firsts: NDArray[np.int64] = np.argsort(-scores, axis=1, kind="stable")[:, :FIRST]
    return firsts


def _share_raised(
    recommender: Recommender, histories: list[History], generator: np.random.Generator
) -> float | None:
    """Return how often more events of a category do not lower its share of the softmax."""
    places = recommender.places
    members: dict[str, list[int]] = {}
    for column, codes in enumerate(places.category_codes):
        for code in codes:
            members.setdefault(code, []).append(column)
    # A category of a few places says little, one of nearly all of them nothing.
    fit = [
        np.array(columns)
        for columns in members.values()
        if MORE * 2 <= len(columns) <= len(places) // 2
    ]
    if not fit or not histories:
        return None
    asked = [fit[int(generator.integers(len(fit)))] for _ in histories]
    added = [generator.choice(columns, MORE, replace=False) for columns in asked]
    longer = [
        _continued(history, [places.place_ids[column] for column in columns])
        for history, columns in zip(histories, added, strict=True)
    ]
    before, after = recommender.score(histories), recommender.score(longer)
    if recommender.excludes_seen:
        # What was added is not shown any more, and must not count before either.
        for row, columns in enumerate(added):
            before[row, columns] = after[row, columns] = -np.inf
    raised = [
        _share(after[row], columns) >= _share(before[row], columns)
        for row, columns in enumerate(asked)
    ]
    return float(np.mean(raised))


def _share(scores: NDArray[np.float32], columns: NDArray[np.int64]) -> float:
    weights = np.exp(scores.astype(np.float64) - scores.max())
    return float(weights[columns].sum() / weights.sum())


def _same(history: History) -> History:
    return history


def _chosen(history: History, events: NDArray[np.int64]) -> History:
    return replace(
        history,
        place_ids=[history.place_ids[nth] for nth in events],
        event_kinds=[history.event_kinds[nth] for nth in events],
        event_ats=[history.event_ats[nth] for nth in events],
        event_ratings=[history.event_ratings[nth] for nth in events],
    )


def _lengthened(histories: list[History], length: int) -> History:
    if not histories:
        return History()
    longest = max(histories, key=lambda history: len(history.place_ids))
    # Over and over again, for no history may be as long.
    return _chosen(longest, np.arange(length) % len(longest.place_ids))


def _unheard_of(history: History) -> History:
    names = [f"{_UNHEARD_OF} {nth}" for nth in range(len(history.place_ids))]
    return replace(history, place_ids=names)


def _with_stranger(name: str) -> Callable[[History], History]:
    def changed(history: History) -> History:
        content = next(iter(history.unknown_places.values()), ((), ""))
        return replace(
            history,
            place_ids=[*history.place_ids[:-1], name],
            unknown_places={**history.unknown_places, name: content},
        )

    return changed


def _at_once(history: History) -> History:
    """Let two events in the middle have one time."""
    middle = len(history.place_ids) // 2
    ats = list(history.event_ats)
    ats[middle] = ats[middle - 1]
    return replace(history, event_ats=ats)


def _swapped(history: History) -> History:
    order = np.arange(len(history.place_ids))
    middle = len(order) // 2
    order[[middle - 1, middle]] = order[[middle, middle - 1]]
    return _chosen(history, order)


def _doubled(history: History) -> History:
    order = np.arange(len(history.place_ids))
    return _chosen(history, np.insert(order, len(order) // 2, order[len(order) // 2]))


def _thinned(history: History, generator: np.random.Generator) -> History:
    size = len(history.place_ids)
    kept = generator.permutation(size)[size // 10 :]
    return _chosen(history, np.sort(kept))


def _continued(history: History, names: list[str]) -> History:
    """Add visits to *names* a minute after each other."""
    last = history.event_ats[-1]
    return replace(
        history,
        place_ids=[*history.place_ids, *names],
        event_kinds=[*history.event_kinds, *[history.event_kinds[-1]] * len(names)],
        event_ats=[
            *history.event_ats,
            *(last + nth * 60_000_000 for nth in range(1, len(names) + 1)),
        ],
        event_ratings=[*history.event_ratings, *[-1.0] * len(names)],
    )
