"""A recommender: what any model folder becomes when loaded, a model and a baseline alike."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from models_ml.baselines import read_baseline
from models_ml.network import Architecture, Network
from models_ml.taste import Taste
from models_ml.tokens import History, Vocabulary, collate
from models_ml.training_set import PlaceTable

_BATCH = 128
_TASTE = "taste."


class ModelFolderError(ValueError):
    """The folder holds no model that can be loaded."""


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

    def score(self, histories: Sequence[History]) -> NDArray[np.float32]:
        """Score every place as the next of each history, (B, P); higher is likelier."""

    def embed(self, histories: Sequence[History]) -> NDArray[np.float32]:
        """Turn each history into a vector of unit length, (B, D); near means similar taste."""


class TrainedModel:
    """The network with its vocabulary, on the best device there is."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        """Read weights and vocabulary from *folder*."""
        self._vocabulary = Vocabulary.read(folder)
        self._architecture = Architecture(**config["architecture"])
        self.excludes_seen: bool = config["excludes_seen"]
        tensors = load_file(folder / "model.safetensors")
        taste = {
            name.removeprefix(_TASTE): value.numpy()
            for name, value in tensors.items()
            if name.startswith(_TASTE)
        }
        self._taste = Taste(**taste)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = Network(self._architecture, self._vocabulary)
        self._network.load_state_dict(
            {name: value for name, value in tensors.items() if not name.startswith(_TASTE)}
        )
        self._network.to(self._device).eval()

    @property
    def places(self) -> PlaceTable:
        """The places that have a token, in token order."""
        return self._vocabulary.places

    @property
    def dimensions(self) -> int:
        """The length of a user vector."""
        return self._taste.dimensions

    def score(self, histories: Sequence[History]) -> NDArray[np.float32]:
        """Score every place as the next of each history, (B, P)."""
        scores = np.empty((len(histories), len(self.places)), dtype=np.float32)
        # Neighbours of like length share a batch, so that little is padded.
        order = np.argsort([len(history.place_ids) for history in histories], kind="stable")
        for begin in range(0, len(order), _BATCH):
            rows = order[begin : begin + _BATCH]
            events, offsets = self._vocabulary.encode([histories[row] for row in rows])
            batch = collate(
                events, offsets[:-1], offsets[1:], has_times=self._architecture.has_times
            )
            with torch.inference_mode():
                scores[rows] = self._network.score(batch.to(self._device)).cpu().numpy()
        return scores

    def embed(self, histories: Sequence[History]) -> NDArray[np.float32]:
        """Turn each history into a vector of unit length, (B, D)."""
        events, offsets = self._vocabulary.encode(histories)
        return self._taste.vectors(events, offsets)


def load(folder: Path) -> Recommender:
    """Load whatever *folder* holds, a trained model or a baseline."""
    path = folder / "config.json"
    if not path.exists():
        raise ModelFolderError(
            f"{folder}: no config.json, so no finished model. "
            f"Train one: python -m models_ml.train --data FOLDER --out {folder}"
        )
    config = json.loads(path.read_text())
    kinds: dict[str, Callable[[Path, dict[str, Any]], Recommender]] = {
        "model": TrainedModel,
        "baseline": read_baseline,
    }
    if config.get("kind") not in kinds:
        raise ModelFolderError(
            f"{path}: kind is {config.get('kind')!r}; it must be one of {sorted(kinds)}."
        )
    return kinds[config["kind"]](folder, config)
