"""Which events teach, which validate and which test: one training, two splits.

An event is a ``time`` target if it happened at or after the cut; the last event
of a user with three or more is a ``loo`` target. Nothing is learned from either,
nor from the last event but one where there are four or more, which validates if
it lies before the cut: one set of weights answers both without having seen them.
What no split tests teaches, and so do everybody's first two events before the cut:
whoever comes back later has taught them already. Where nothing lies before the
cut, what happened at that moment does.
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
    lies_before = data.ats < data.cut_at
    # A first file of one day may have one moment alone: it teaches, and what comes later tests.
    if not lies_before.any():
        lies_before = data.ats <= data.cut_at
    is_before = np.concatenate([[0], np.cumsum(lies_before)])
    # No leave-one-out asks who has fewer, so the first two of everybody teach, now and later.
    is_asked = stops - starts > SHORTEST_LESSON
    ends = starts + is_before[stops] - is_before[starts]
    ends = np.where(is_asked, np.minimum(ends, stops - 1), ends)
    lengths = ends - starts
    each = min(MOST_VALIDATION_PER_USER, max(1, VALIDATION_TARGETS // max(1, len(lengths))))
    held_out = np.clip((lengths - SHORTEST_LESSON) // 2, 0, each)
    # Of longer histories the last but one is never learned.
    held_out = np.maximum(held_out, (lengths > SHORTEST_LESSON) & (ends == stops - 1))
    return Split(
        learn_ends=ends - held_out,
        ends=ends,
        time_targets=np.flatnonzero(~lies_before),
        loo_targets=stops[is_asked] - 1,
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
