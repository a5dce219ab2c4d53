"""A warm start (fine-tuning): weights of an earlier model, under a new vocabulary's tokens.

Places, categories, districts and kinds keep their weights by id or code, however they are numbered
now; what has vanished is dropped; what is new begins as the mean of what was known. All other
weights stay as they were, so the architecture must be the same.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from models_ml.data.leakage import LearnedFrom
from models_ml.data.tokens import SPECIAL_TOKENS, Vocabulary
from models_ml.model_folder import CONTENT, TRAINING, ModelFolder
from models_ml.network.architecture import Architecture
from models_ml.network.bert import Network
from models_ml.training.record import TrainingRecord
from models_ml.typed_json import decode


class WarmStartError(ValueError):
    """A model folder from which this training cannot begin."""


@dataclass(frozen=True)
class WarmStart:
    """An earlier model to begin with, and all that it and those before it have learned from.

    ``content`` is a sha256 over the model's files, which names it wherever it lies.
    """

    folder: ModelFolder
    content: str
    architecture: Architecture
    vocabulary: Vocabulary
    learned_from: list[LearnedFrom]

    @classmethod
    def read(cls, path: Path) -> "WarmStart":
        """Read the finished model in the folder at *path*.

        Raises:
            WarmStartError: there is none, or it does not tell what it has learned from.
        """
        folder = ModelFolder(path)
        for name in (*CONTENT, TRAINING):
            if not (path / name).exists():
                raise WarmStartError(
                    f"{path}: there is no {name}, so no finished training of a network. "
                    "Name a folder that models_ml.train has written, or train from scratch."
                )
        record = TrainingRecord.read(folder)
        if record is None or record.learned_from is None:
            raise WarmStartError(
                f"{folder.training}: an earlier version wrote it, and it does not tell "
                "what the model has learned from. Train from scratch."
            )
        return cls(
            folder,
            content_hash(folder),
            decode(Architecture, folder.read_config().architecture, str(folder.config)),
            Vocabulary.read(folder),
            record.learned_from,
        )

    def put_into(self, network: Network, vocabulary: Vocabulary) -> None:
        """Give *network*, which has tokens of *vocabulary*, the weights of the earlier model.

        Raises:
            WarmStartError: the two networks are built otherwise.
        """
        if self.architecture != network.architecture:
            raise WarmStartError(
                f"{self.folder.path}: its network is another: {self._differences(network)}. "
                "Train with the settings that it was trained with, or from scratch."
            )
        rows = self._rows(vocabulary)
        weights = {
            name: _moved(value, rows[name]) if name in rows else value
            for name, value in load_file(self.folder.weights).items()
        }
        fresh = network.state_dict()
        others = [
            name
            for name, value in fresh.items()
            if name not in weights or weights[name].shape != value.shape
        ]
        if others:
            raise WarmStartError(
                f"{self.folder.path}: another version made its network, which has no {others[0]} "
                "of this form. Train from scratch."
            )
        network.load_state_dict({name: weights[name] for name in fresh})

    def _rows(self, vocabulary: Vocabulary) -> dict[str, list[int]]:
        """Tell by table which row of the earlier model each row comes from; -1 where it is new."""
        before = self.vocabulary
        places = _positions(before.places.place_ids, vocabulary.places.place_ids)
        special = list(range(SPECIAL_TOKENS))
        nothing = [0]  # the row of what has no category, district or kind

        def coded(earlier: list[str], now: list[str]) -> list[int]:
            return nothing + [row + 1 if row >= 0 else -1 for row in _positions(earlier, now)]

        return {
            "bias": places,
            "encoder.embeddings.word_embeddings.weight": special
            + [row + SPECIAL_TOKENS if row >= 0 else -1 for row in places],
            "encoder.embeddings.token_type_embeddings.weight": coded(
                before.kinds, vocabulary.kinds
            ),
            "categories.weight": coded(before.categories, vocabulary.categories),
            "districts.weight": coded(before.districts, vocabulary.districts),
        }

    def _differences(self, network: Network) -> str:
        ours, theirs = asdict(network.architecture), asdict(self.architecture)
        return ", ".join(
            f"{name} is {theirs[name]}, not {value}"
            for name, value in ours.items()
            if theirs[name] != value
        )


def _positions(earlier: Sequence[str], now: Sequence[str]) -> list[int]:
    """Tell where each of *now* stood among the *earlier* ones; -1 where it did not."""
    stood = {name: row for row, name in enumerate(earlier)}
    return [stood.get(name, -1) for name in now]


def _moved(earlier: Tensor, rows: Sequence[int]) -> Tensor:
    """Take the *rows* of *earlier*; where it is -1, the mean of all."""
    chosen = torch.tensor(rows)
    moved = earlier[chosen.clamp(min=0)]
    moved[chosen < 0] = earlier.mean(0)
    return moved


def content_hash(folder: ModelFolder) -> str:
    """Name the model in *folder* by the content of its files, wherever it lies."""
    digest = hashlib.sha256()
    for name in CONTENT:
        digest.update(hashlib.sha256((folder.path / name).read_bytes()).digest())
    return digest.hexdigest()
