"""Counting methods as recommenders."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.base import Baseline
from models_ml.baselines.counts import Counts
from models_ml.data.tokens import EventTokens, Vocabulary
from models_ml.model_folder import BaselineConfig
from models_ml.typed_json import Settings
from models_ml.user_vectors import Taste


class CountingBaseline(Baseline):
    """A counting method as a recommender; where it counts nothing, what is popular."""

    def __init__(
        self, vocabulary: Vocabulary, counts: Counts, taste: Taste, *, excludes_seen: bool
    ) -> None:
        """Take what was counted."""
        super().__init__(counts.counting.name, vocabulary, taste, excludes_seen=excludes_seen)
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

    def score_events(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Score every place as the next after each window ``start:stop`` of *events*."""
        return self.tie_break + self.counts.shares(events, starts, stops)
