"""A recommender: what any model folder becomes when loaded, a model and a baseline alike."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from models_ml.baselines.counts import PREFIX as COUNTED
from models_ml.baselines.interpolation import Mixture
from models_ml.baselines.share_tables import PREFIX as SHARES
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import EventTokens, Histories, Vocabulary
from models_ml.data.training_set import PlaceTable, TrainingSet
from models_ml.model_folder import ModelFolder, NetworkConfig
from models_ml.user_vectors import PREFIX as TASTE
from models_ml.user_vectors import Taste

_BATCH = 128


class Recommender(Protocol):
    """Scores places for people and turns people into vectors; knows no user."""

    @property
    def places(self) -> PlaceTable:
        """The places that can be recommended, in the order of the scores' columns."""

    @property
    def excludes_seen(self) -> bool:
        """Whether people hardly ever return, so that rankings leave out what they know."""

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Score every place as the next of each history, (B, P); higher is likelier."""

    def embed(self, histories: Histories) -> NDArray[np.float32]:
        """Turn each history into a vector of unit length, (B, D); near means similar taste."""


@runtime_checkable
class ScoresWindows(Protocol):
    """What of a recommender is asked about thousands of events of one training set."""

    def encode_training_set(self, data: TrainingSet) -> EventTokens:
        """Encode every event of *data*, once for all questions."""

    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows* of what was encoded, (B, P).

        What `Recommender.score` gives for the same histories, but for rounding.
        """


class NetworkModel(ABC):
    """A trained model with its vocabulary, whatever its network runs on.

    Where counting finds what the network does not, counts answer beside it.
    """

    def __init__(self, folder: ModelFolder, config: NetworkConfig) -> None:
        """Read from *folder* the vocabulary and all that is beside the network."""
        self._vocabulary = Vocabulary.read(folder)
        self.excludes_seen = config.excludes_seen
        with safe_open(folder.weights, framework="np") as tensors:
            names = [name for name in tensors.keys() if is_beside_the_network(name)]  # noqa: SIM118
            self._fitted = {name: tensors.get_tensor(name) for name in names}
        # A model of an earlier version says nothing of counts.
        self.mixture = (
            Mixture.restore(self._vocabulary, config.counts, self._fitted)
            if config.counts
            else None
        )

    def alone(self) -> Self:
        """Return the same model without the counts, to tell what the network is worth."""
        network = copy.copy(self)
        network.mixture = None
        return network

    @property
    def places(self) -> PlaceTable:
        """The places that have a token, in token order."""
        return self._vocabulary.places

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""
        return self._taste.dimensions

    @cached_property
    def _taste(self) -> Taste:
        # Not when loading, so that a model of an earlier version can still score.
        return Taste.restore(self._fitted)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Score every place as the next of each history, (B, P)."""
        scores = np.empty((len(histories), len(self.places)), dtype=np.float32)
        events, offsets = self._vocabulary.encode(histories)
        for rows in batches_of_like_length(offsets):
            windows = events, offsets[:-1][rows], offsets[1:][rows]
            found = self._run(*windows)
            scores[rows] = self.mixture.mixed(found, *windows) if self.mixture else found
        return scores

    def embed(self, histories: Histories) -> NDArray[np.float32]:
        """Turn each history into a vector of unit length, (B, D)."""
        events, offsets = self._vocabulary.encode(histories)
        return self._taste.vectors(events, offsets)

    @abstractmethod
    def _run(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Let the network score every place as the next after windows of *events*, (B, P)."""


def is_beside_the_network(name: str) -> bool:
    """Tell whether a tensor of a model folder is no weight of its network."""
    return name.startswith((TASTE, COUNTED, SHARES))


def batches_of_like_length(offsets: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield positions among histories, those of like length together so that little is padded."""
    order = np.argsort(np.diff(offsets), kind="stable")
    for begin in range(0, len(order), _BATCH):
        yield order[begin : begin + _BATCH]
