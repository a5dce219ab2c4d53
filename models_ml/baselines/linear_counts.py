"""A linear sum of shares of counts, by weight: counting as strong as counting gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.share_tables import ShareTables
from models_ml.baselines.shares import AFTER_EVENTS, POPULAR, Shares, Weights
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import EventTokens, Vocabulary
from models_ml.typed_json import Settings, decode

NAME = "linear_counts"
_AT_FIRST, _FOLLOW_POWER = "at_first.", "follow_power"
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class LinearCounts:
    """What was counted, and what each share of it weighs.

    ``after_events`` weighs shares after a history, ``at_first`` those for people without any.
    """

    tables: ShareTables
    after_events: Weights
    at_first: Weights

    @classmethod
    def restore(
        cls, vocabulary: Vocabulary, settings: Settings, tensors: Mapping[str, NDArray[Any]]
    ) -> "LinearCounts":
        """Put together what `settings` and `tensors` gave."""
        power = decode(float, settings[_FOLLOW_POWER], _FOLLOW_POWER)
        return cls.weighed(ShareTables.restore(vocabulary, tensors, power), settings)

    @classmethod
    def weighed(cls, tables: ShareTables, settings: Settings) -> "LinearCounts":
        """Weigh what was counted as *settings* say."""
        told = {name: value for name, value in settings.items() if not isinstance(value, str)}
        weights = decode(dict[str, float], told, "what was tuned")
        at_first = {name: weights[_AT_FIRST + name] for name in POPULAR}
        return cls(tables, {name: weights[name] for name in AFTER_EVENTS}, at_first)

    @staticmethod
    def are_in(settings: Settings) -> bool:
        """Tell whether *settings* are those of linear counts."""
        names = {_FOLLOW_POWER, *AFTER_EVENTS, *(_AT_FIRST + name for name in POPULAR)}
        return names <= settings.keys()

    @property
    def name(self) -> str:
        """The method's."""
        return NAME

    @property
    def settings(self) -> Settings:
        """What was tuned."""
        return {_FOLLOW_POWER: self.tables.follow_power, **self.weights}

    @property
    def weights(self) -> dict[str, float]:
        """What every share weighs, by its name."""
        at_first = {_AT_FIRST + name: self.at_first.get(name, 0.0) for name in POPULAR}
        return {name: self.after_events.get(name, 0.0) for name in AFTER_EVENTS} | at_first

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted, by name."""
        return self.tables.tensors

    def shares(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Share out 1 among the places after each window ``start:stop`` of *events*, (B, P)."""
        shares = np.empty((len(starts), len(self.tables)), dtype=np.float32)
        rows = max(1, _CELLS_AT_ONCE // max(1, len(self.tables)))
        for first in range(0, len(starts), rows):
            part = slice(first, first + rows)
            shares[part] = self._shares(EventWindows(events, starts[part], stops[part]))
        return shares

    def _shares(self, windows: EventWindows) -> NDArray[np.float32]:
        shares = Shares(self.tables, windows).summed(self.after_events)
        is_first = np.flatnonzero(windows.stops == windows.starts)
        if len(is_first):
            begun = Shares(self.tables, windows.take(is_first)).summed(self.at_first)
            shares[is_first] = begun
        return shares
