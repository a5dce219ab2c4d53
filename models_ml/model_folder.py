"""A model folder: the files that a training, an evaluation and an export leave, and what they say.

Everything else asks it for their names. Here are those that say what the model is; what a training
record or an evaluation holds is for `models_ml.training.record` and `models_ml.evaluation.report`.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models_ml.files import whole
from models_ml.typed_json import JsonTypeError, Settings, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

CONFIG, WEIGHTS = "config.json", "model.safetensors"
PLACES, VOCABULARY = "places.parquet", "vocabulary.json"
CONTENT = (CONFIG, WEIGHTS, PLACES, VOCABULARY)
"""What decides an answer, and all that a release takes from the folder but the export."""
GRAPH, EXPORT = "network.onnx", "export.json"
"""The network as ONNX Runtime runs it, where serving has exported it, and how that went."""
TRAINING, EVALUATION = "training.json", "evaluation.json"


class ModelFolderError(ValueError):
    """The folder holds no model that can be loaded."""


@dataclass(frozen=True)
class ModelConfig:
    """What is known of any model; ``architecture`` is its own class's business."""

    kind: Literal["model", "baseline"]
    name: str
    architecture: Settings
    preset: str | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)
    training_set_hash: str
    excludes_seen: bool


@dataclass(frozen=True)
class BaselineConfig(ModelConfig):
    """What `Baseline.save` says of a method that counts."""


@dataclass(frozen=True)
class NetworkConfig(ModelConfig):
    """What a training says of its network, and of the counts that answer beside it, if any do."""

    counts: Settings | None = None


@dataclass(frozen=True)
class ModelFolder:
    """Where the files of one model lie."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        return self.path / CONFIG

    @property
    def weights(self) -> Path:
        return self.path / WEIGHTS

    @property
    def places(self) -> Path:
        return self.path / PLACES

    @property
    def vocabulary(self) -> Path:
        return self.path / VOCABULARY

    @property
    def training(self) -> Path:
        return self.path / TRAINING

    @property
    def evaluation(self) -> Path:
        return self.path / EVALUATION

    @property
    def graph(self) -> Path:
        return self.path / GRAPH

    @property
    def export(self) -> Path:
        return self.path / EXPORT

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def lock(self) -> Path:
        return self.path / "training.lock"

    @property
    def is_finished(self) -> bool:
        """Whether all is there: ``config.json`` is written last."""
        return self.config.exists()

    def read_config(self) -> NetworkConfig | BaselineConfig:
        """Read what the model is.

        Raises:
            ModelFolderError: there is no finished model, or one of another version.
        """
        if not self.is_finished:
            raise ModelFolderError(
                f"{self.path}: no config.json, so no finished model. "
                f"Train one: python -m models_ml.train --data FOLDER --out {self.path}"
            )
        config = json.loads(self.config.read_text())
        kinds = {"model": NetworkConfig, "baseline": BaselineConfig}
        kind = config.get("kind")
        if kind not in kinds:
            raise ModelFolderError(
                f"{self.config}: kind is {kind!r}; it must be 'baseline' or 'model'."
            )
        try:
            return decode(kinds[kind], config, str(self.config))
        except JsonTypeError as error:
            raise ModelFolderError(f"{error} Train or fit the model again.") from error


def save_safetensors(
    tensors: "Mapping[str, Tensor]", path: Path, metadata: "Mapping[str, str]"
) -> None:
    """Write *tensors* to *path* whole or not at all."""
    from safetensors.torch import save_file

    with whole(path) as unfinished:
        save_file(dict(tensors), unfinished, dict(metadata))
