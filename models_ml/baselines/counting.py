"""Counting methods as recommenders."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.base import Baseline
from models_ml.baselines.counts import Counts
from models_ml.baselines.counts_at_once import shares_at_once
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import Vocabulary
from models_ml.model_folder import BaselineConfig
from models_ml.typed_json import Settings
from models_ml.user_vectors import Taste

_FEW = 32
"""Fewer windows are counted one by one: a request needs no matrix of places by places."""


class CountingBaseline(Baseline):
    """A counting method as a recommender; where it counts nothing, what is popular."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        counts: Counts | LinearCounts,
        taste: Taste,
        *,
        excludes_seen: bool,
    ) -> None:
        """Take what was counted."""
        super().__init__(counts.name, vocabulary, taste, excludes_seen=excludes_seen)
        self.counts = counts

    @classmethod
    def restore(
        cls,
        vocabulary: Vocabulary,
        taste: Taste,
        config: BaselineConfig,
        tensors: dict[str, NDArray[Any]],
    ) -> "CountingBaseline":
        """Put together what was saved."""
        counts = Counts.restore(config.architecture, tensors)
        return cls(vocabulary, counts, taste, excludes_seen=config.excludes_seen)

    @property
    def architecture(self) -> Settings:
        """What was tuned."""
        return self.counts.settings

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted."""
        return self.counts.tensors

    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows*."""
        if len(windows) < _FEW:
            return self.tie_break + self.counts.shares(
                windows.events, windows.starts, windows.stops
            )
        return self.tie_break + shares_at_once(self.counts, windows)
