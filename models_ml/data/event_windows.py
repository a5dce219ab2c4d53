"""Windows of events, and what lies in all of them laid flat: the past of many questions at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models_ml.data.tokens import SPECIAL_TOKENS, EventTokens


def laid_flat(
    starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the events of ``starts:stops``: whose each is by position, and where it stands."""
    lengths = stops - starts
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, np.arange(len(rows)) + (starts - np.cumsum(lengths) + lengths)[rows]


@dataclass(frozen=True)
class Past:
    """What lies in windows, one window after the other, the oldest event first.

    rows    (E,)  the window of each event
    places  (E,)  its place, counted from 0; at least the size of the vocabulary for strangers
    ages    (E,)  how many events of the window came after it
    ats     (E,)  microseconds
    ends    (B,)  where each window ends in the others
    """

    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    ages: NDArray[np.int64]
    ats: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EventWindows:
    """The windows ``starts:stops`` of *events*, (B,) both; what comes next in each is asked."""

    events: EventTokens
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the windows, B."""
        return len(self.starts)

    def take(self, chosen: NDArray[np.int64]) -> "EventWindows":
        """Keep the *chosen* windows, in that order."""
        return EventWindows(self.events, self.starts[chosen], self.stops[chosen])

    @cached_property
    def past(self) -> Past:
        """What lies in them."""
        rows, index = laid_flat(self.starts, self.stops)
        return Past(
            rows=rows,
            places=self.events.places[index] - SPECIAL_TOKENS,
            ages=self.stops[rows] - 1 - index,
            ats=self.events.ats[index],
            ends=np.cumsum(self.stops - self.starts),
        )

    @cached_property
    def latest(self) -> NDArray[np.int64]:
        """The events of `past` after which nobody went to the same place again in the window."""
        past = self.past
        width = int(past.places.max(initial=0)) + 1 + SPECIAL_TOKENS
        cells = past.rows * width + past.places + SPECIAL_TOKENS
        newest: NDArray[np.int64] = (
            len(cells) - 1 - np.unique(cells[::-1], return_index=True)[1].astype(np.int64)
        )
        return newest

    def seen(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List window and place of each event at one of *size* known places."""
        is_known = (self.past.places >= 0) & (self.past.places < size)
        return self.past.rows[is_known], self.past.places[is_known]
