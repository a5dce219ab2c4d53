"""Which events teach, which validate and which test: one training, two splits.

An event is a ``time`` target if it happened at or after the cut; a user's last
event is the ``loo`` target. Nothing is learned from either, nor from a user's
last event but one, which validates where it lies before the cut: one set of
weights answers both without having seen them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_ml.data.training_set import TrainingSet

SHORTEST_LESSON = 2
SEEN_ONCE = 0.01
VALIDATION_TARGETS = 4096
MOST_VALIDATION_PER_USER = 4


@dataclass(frozen=True)
class Split:
    """Per user: events from its offset to ``learn_ends`` teach, on to ``ends`` validate.

    ``time_targets`` and ``loo_targets`` are positions in the flat event arrays.
    """

    learn_ends: NDArray[np.int64]
    ends: NDArray[np.int64]
    time_targets: NDArray[np.int64]
    loo_targets: NDArray[np.int64]

    @property
    def validation_targets(self) -> NDArray[np.int64]:
        """The newest events of the training part, held out to choose the best weights."""
        return _ranges(self.learn_ends, self.ends)


def split(data: TrainingSet) -> Split:
    """Divide the events of *data*; depends on no event at or after the cut but its user."""
    starts, stops = data.offsets[:-1], data.offsets[1:]
    is_before = np.concatenate([[0], np.cumsum(data.ats < data.cut_at)])
    ends = np.minimum(starts + is_before[stops] - is_before[starts], stops - 1)
    ends = np.maximum(ends, starts)
    lengths = ends - starts
    each = min(MOST_VALIDATION_PER_USER, max(1, VALIDATION_TARGETS // max(1, len(lengths))))
    held_out = np.clip((lengths - SHORTEST_LESSON) // 2, 0, each)
    # The last but one is never learned, however short the history.
    held_out = np.maximum(held_out, (lengths > 0) & (ends == stops - 1))
    return Split(
        learn_ends=ends - held_out,
        ends=ends,
        time_targets=np.flatnonzero(data.ats >= data.cut_at),
        loo_targets=stops[stops - starts > SHORTEST_LESSON] - 1,
    )


def excludes_seen(data: TrainingSet, parts: Split) -> bool:
    """Tell whether people hardly ever return, so that a ranking leaves out what they know."""
    return repeat_share(data, parts) < SEEN_ONCE


def repeat_share(data: TrainingSet, parts: Split) -> float:
    """The share of learned events whose place the same user had visited before."""
    learned = _ranges(data.offsets[:-1], parts.learn_ends)
    if len(learned) == 0:
        return 0.0
    pairs = data.event_users[learned] * len(data.catalogue) + data.places[learned]
    return 1.0 - len(np.unique(pairs)) / len(learned)


def learned_events(data: TrainingSet, parts: Split) -> NDArray[np.int64]:
    """Positions of the events that teach."""
    return _ranges(data.offsets[:-1], parts.learn_ends)


def held_out_events(parts: Split) -> NDArray[np.int64]:
    """Positions of all events that validate or test, each once."""
    return np.unique(
        np.concatenate([parts.validation_targets, parts.time_targets, parts.loo_targets])
    )


def known_events(data: TrainingSet, parts: Split) -> NDArray[np.int64]:
    """Positions of the events of the training part, the validating ones included."""
    return _ranges(data.offsets[:-1], parts.ends)


def known_offsets(data: TrainingSet, parts: Split) -> NDArray[np.int64]:
    """Where each user begins among the `known_events`."""
    return np.concatenate([[0], np.cumsum(parts.ends - data.offsets[:-1])])


def _ranges(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate ``arange(start, stop)`` of each pair."""
    lengths = stops - starts
    shifts = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    places: NDArray[np.int64] = np.arange(int(lengths.sum())) + shifts
    return places
