"""Weigh the shares of linear counts by what came later, and count anew what is kept.

All of it lies before the cut: what happened in the last tenth of the known events is foretold from
what lay before, as the events after the cut will be from all that is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.linear_counts import LinearCounts
from models_ml.baselines.share_counting import count_popularity, count_shares, first_events
from models_ml.baselines.share_tables import ShareTables
from models_ml.baselines.share_weights import Candidates, climb, likeliest
from models_ml.baselines.shares import AFTER_EVENTS, OF_TIME, POPULAR, Shares
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit, Settings
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import MAX_EVENTS, SPECIAL_TOKENS
from models_ml.metrics import fewer_of_each, target_weights

_LATER = 0.1
_TARGETS = 4000
_CANDIDATES = 50
_CELLS_AT_ONCE = 20_000_000
_PRIOR = 20.0
_SEED = 0


def tune_linear_counts(fit: Fit, co_occurrence: Settings) -> list[Settings]:
    """Find what each share weighs, as the settings of `LinearCounts`, best first.

    First the likeliest weights, then climbs by NDCG@10 from there, from equal weights, and from
    those of *co_occurrence*, some of whose counts are shares here. How far apart they end tells how
    sure the best one is.
    """
    earlier, targets = _to_foretell(fit)
    tables = count_shares(fit, earlier, co_occurrence)
    names = [name for name in AFTER_EVENTS if not (fit.data.is_time_synthetic and name in OF_TIME)]
    of_co_occurrence = {"own_20": co_occurrence["own"], "near_lately": 1 - co_occurrence["own"]}
    after_events = _after_events(fit, tables, names, targets, of_co_occurrence)
    at_first = dict(zip(POPULAR, _at_first(fit).tolist(), strict=True))
    return [LinearCounts(tables, weights, at_first).weights for weights in after_events]


@dataclass(frozen=True)
class LinearFit:
    """The same weights counted twice: on what candidates may learn from, and on all that is known.

    With the first one what lies between can be asked: the validating events.
    """

    learned: LinearCounts
    known: LinearCounts


def count_linear(fit: Fit, tuned: Tuned) -> LinearFit:
    """Count with the weights that were found best."""
    return LinearFit(counted_in(fit, tuned, fit.learned), counted_in(fit, tuned, fit.known))


def counted_in(fit: Fit, tuned: Tuned, events: NDArray[np.int64]) -> LinearCounts:
    """Count, with the weights that were found best, in the *events* at these positions alone."""
    tables = count_shares(fit, events, tuned.co_occurrence)
    return LinearCounts.weighed(tables, tuned.linear_counts)


def _to_foretell(fit: Fit) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give what is counted, and the later events by which it is judged, after some others each."""
    data = fit.data
    if data.is_time_synthetic:
        earlier, later = fit.learned, np.setdiff1d(fit.known, fit.learned)
    else:
        ats = data.ats[fit.known]
        is_later = ats > np.quantile(ats, 1 - _LATER) if len(ats) else np.zeros(0, bool)
        earlier, later = fit.known[~is_later], fit.known[is_later]
    later = later[later > data.offsets[data.event_users[later]]]
    later = fewer_of_each(later, data.event_users[later], _TARGETS)
    if len(later) > _TARGETS:
        later = np.random.default_rng(_SEED).permutation(later)[:_TARGETS]
    return earlier, later


def _after_events(
    fit: Fit,
    tables: ShareTables,
    names: list[str],
    targets: NDArray[np.int64],
    start: dict[str, float],
) -> list[dict[str, float]]:
    if not len(targets):
        return [dict.fromkeys(names, 1 / len(names))]
    counted = np.array([start.get(name, 0.0) for name in names])
    leading = [counted, np.full(len(names), 1 / len(names))]
    every = [
        (_candidates(shares, wanted, leading), _given(shares, wanted))
        for shares, wanted in _said(fit, tables, names, targets)
    ]
    told = np.concatenate([given for _, given in every], axis=1)
    # Own visits where nobody returns, categories where there are none.
    is_of_use = (told > 0).sum(axis=1) > 0
    if not is_of_use.any():
        return [dict.fromkeys(names, 1 / len(names))]
    names = [name for name, keep in zip(names, is_of_use.tolist(), strict=True) if keep]
    shares = np.concatenate([chosen for chosen, _ in every], axis=1)[is_of_use]
    # What came stands last, behind the candidates.
    wanted = np.full(len(targets), shares.shape[2] - 1)
    weights = target_weights(fit.data.event_users[targets])
    starts = [
        likeliest(told[is_of_use], weights=weights),
        np.full(len(names), 1 / len(names)),
        counted[is_of_use],
    ]
    found = climb(Candidates(shares, wanted, weights), starts)
    return [dict(zip(names, weights.tolist(), strict=True)) for weights, _ in found]


def _said(
    fit: Fit, tables: ShareTables, names: list[str], targets: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Yield what each share says before some of the *targets*, (K, B, P), and what came, (B,)."""
    begins = fit.data.offsets[fit.data.event_users[targets]]
    starts = np.maximum(begins, targets - MAX_EVENTS)
    rows = max(1, _CELLS_AT_ONCE // max(1, len(tables) * len(names)))
    for first in range(0, len(targets), rows):
        part = slice(first, first + rows)
        windows = EventWindows(fit.events, starts[part], targets[part])
        shares = Shares(tables, windows)
        said = np.stack([shares.summed({name: 1.0}) for name in names])
        if fit.excludes_seen:
            said[:, *windows.seen(len(tables))] = 0.0
        yield said, fit.events.places[targets[part]] - SPECIAL_TOKENS


def _given(said: NDArray[np.float32], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each share gave to what came, (K, B)."""
    return said[:, np.arange(len(wanted)), wanted].astype(np.float64)


def _candidates(
    said: NDArray[np.float32], wanted: NDArray[np.int64], leading: list[NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Keep of each target the places that sums by *leading* weights put first, (K, B, M).

    What came is the last of them; it and others that are there twice are kept once.
    """
    most = min(_CANDIDATES, said.shape[2])
    tops = [
        np.argpartition(-np.tensordot(weights.astype(np.float32), said, axes=1), most - 1)[:, :most]
        for weights in leading
    ]
    chosen = np.sort(np.concatenate(tops, axis=1), axis=1)
    is_twice = np.zeros(chosen.shape, dtype=bool)
    is_twice[:, 1:] = chosen[:, 1:] == chosen[:, :-1]
    is_twice |= chosen == wanted[:, None]
    chosen = np.concatenate([chosen, wanted[:, None]], axis=1)
    kept = np.take_along_axis(said, chosen[None], axis=2)
    # Below what anything can be, whatever the weights.
    kept[:, :, :-1][:, is_twice] = -1.0
    return kept


def _at_first(fit: Fit) -> NDArray[np.float64]:
    """Weigh what is shown to people without a history, by what others began with."""
    begun = first_events(fit, fit.known)
    if not len(begun):
        return np.full(len(POPULAR), 1 / len(POPULAR))
    # Each half is foretold by what the other began with.
    halves = begun[::2], begun[1::2]
    told = []
    for counted, asked in (halves, halves[::-1]):
        popularity = count_popularity(fit, fit.known, counted)
        told.append(popularity[:, fit.events.places[asked] - SPECIAL_TOKENS])
    return likeliest(np.concatenate(told, axis=1).astype(np.float64), _PRIOR)
