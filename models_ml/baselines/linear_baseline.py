"""Linear counts as a recommender."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.base import Baseline
from models_ml.baselines.linear_counts import NAME, LinearCounts
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import Vocabulary
from models_ml.model_folder import BaselineConfig
from models_ml.typed_json import Settings
from models_ml.user_vectors import Taste


class LinearBaseline(Baseline):
    """Counting as strong as counting gets, behind the model's own interface."""

    def __init__(
        self, vocabulary: Vocabulary, counts: LinearCounts, taste: Taste, *, excludes_seen: bool
    ) -> None:
        """Answer with *counts*."""
        super().__init__(NAME, vocabulary, taste, excludes_seen=excludes_seen)
        self.counts = counts

    @classmethod
    def restore(
        cls,
        vocabulary: Vocabulary,
        taste: Taste,
        config: BaselineConfig,
        tensors: dict[str, NDArray[Any]],
    ) -> "LinearBaseline":
        """Put together what was saved."""
        counts = LinearCounts.restore(vocabulary, config.architecture, tensors)
        return cls(vocabulary, counts, taste, excludes_seen=config.excludes_seen)

    @property
    def architecture(self) -> Settings:
        """What was tuned."""
        return self.counts.settings

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was counted, by name."""
        return self.counts.tensors

    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows*."""
        return self.tie_break + self.counts.shares(windows.events, windows.starts, windows.stops)
