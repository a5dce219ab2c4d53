"""A model folder: what a trained model or a baseline is on disk."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_ml.files import whole

if TYPE_CHECKING:
    from torch import Tensor


class ModelFolderError(ValueError):
    """The folder holds no model that can be loaded."""


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json`` of a model folder."""
    path = folder / "config.json"
    if not path.exists():
        raise ModelFolderError(
            f"{folder}: no config.json, so no finished model. "
            f"Train one: python -m models_ml.train --data FOLDER --out {folder}"
        )
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def save_safetensors(tensors: "dict[str, Tensor]", path: Path, metadata: dict[str, str]) -> None:
    """Write *tensors* to *path* whole or not at all."""
    from safetensors.torch import save_file

    with whole(path) as unfinished:
        save_file(tensors, unfinished, metadata)
