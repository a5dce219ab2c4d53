"""Linear counts as a recommender."""

from typing import Any

from numpy.typing import NDArray

from models_ml.baselines.counting import CountingBaseline
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.data.tokens import Vocabulary
from models_ml.model_folder import BaselineConfig
from models_ml.user_vectors import Taste


class LinearBaseline(CountingBaseline):
    """Counting as strong as counting gets, behind the model's own interface."""

    counts: LinearCounts

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
