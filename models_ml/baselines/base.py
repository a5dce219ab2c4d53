"""What every baseline is: a recommender that is saved and loaded as a model is."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import EventTokens, Histories, Vocabulary
from models_ml.data.training_set import PlaceTable, TrainingSet
from models_ml.model_folder import BaselineConfig, ModelFolder, save_safetensors
from models_ml.typed_json import Settings, json_text
from models_ml.user_vectors import Taste

_TIE_BREAK = 1e-6
"""The weight of a place's popularity, which decides where a method itself does not."""


def tie_break(vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Return what is added to the scores of any method, so that popularity parts equals, (P,)."""
    counts = vocabulary.places.event_counts
    popularity: NDArray[np.float32] = (counts / max(1, counts.max(initial=0))).astype(np.float32)
    return popularity * np.float32(_TIE_BREAK)


class Baseline(ABC):
    """A method without a network, behind the model's own interface."""

    def __init__(
        self, name: str, vocabulary: Vocabulary, taste: Taste, *, excludes_seen: bool
    ) -> None:
        """Take what all of them have."""
        self.name = name
        self.excludes_seen = excludes_seen
        self._vocabulary = vocabulary
        self._taste = taste
        self.tie_break = tie_break(vocabulary)

    @property
    @abstractmethod
    def architecture(self) -> Settings:
        """What was tuned, for ``config.json``."""

    @property
    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was fitted, for ``model.safetensors``."""

    @abstractmethod
    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows*, (B, P)."""

    @property
    def places(self) -> PlaceTable:
        """The places that the training part has seen."""
        return self._vocabulary.places

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""
        return self._taste.dimensions

    def encode_training_set(self, data: TrainingSet) -> EventTokens:
        """Encode every event of *data* as `score_events` reads them."""
        return self._vocabulary.encode_training_set(data)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Score every place as the next of each history, (B, P)."""
        events, offsets = self._vocabulary.encode(histories)
        return self.score_events(EventWindows(events, offsets[:-1], offsets[1:]))

    def embed(self, histories: Histories) -> NDArray[np.float32]:
        """Turn each history into a vector of unit length, (B, D)."""
        return self._taste.vectors(*self._vocabulary.encode(histories))

    def save(self, path: Path, training_set_hash: str) -> None:
        """Write the baseline as the model folder at *path*."""
        path.mkdir(parents=True, exist_ok=True)
        folder = ModelFolder(path)
        tensors = self.tensors | self._taste.tensors
        save_safetensors(
            {name: torch.from_numpy(value).contiguous() for name, value in tensors.items()},
            folder.weights,
            {},
        )
        self._vocabulary.write(folder)
        config = BaselineConfig(
            kind="baseline",
            name=self.name,
            architecture=self.architecture,
            preset=None,
            seed=0,
            training_set_hash=training_set_hash,
            excludes_seen=self.excludes_seen,
        )
        folder.config.write_text(json_text(config))
