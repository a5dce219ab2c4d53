"""Checkpoints: one safetensors file that holds all a training needs to go on as if never stopped.

A file is written under another name and renamed, so a kill leaves the old one
or the new one. Nothing is pickled.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from models_ml.model_folder import save_safetensors
from models_ml.training.record import Epoch, Identity
from models_ml.typed_json import decode, json_text

_FILE = "last.safetensors"


@dataclass
class Progress:
    """Where a training stands, as plain numbers."""

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    seconds: float = 0.0
    events: int = 0
    best_ndcg: float = -1.0
    best_epoch: int = 0
    epochs: list[Epoch] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds."""

    identity: Identity
    progress: Progress
    tensors: dict[str, Tensor]


def state_of(
    modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer, best: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Gather every tensor that a training depends on; what is random follows from its step."""
    tensors = {f"best.{name}": value for name, value in best.items()}
    for part, module in modules.items():
        tensors |= {f"{part}.{name}": value for name, value in module.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    return {name: value.detach().clone().contiguous() for name, value in tensors.items()}


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write *checkpoint* into *folder*, in place of the one before."""
    metadata = {
        "identity": json_text(checkpoint.identity),
        "progress": json_text(checkpoint.progress),
    }
    save_safetensors(checkpoint.tensors, folder / _FILE, metadata)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint under *folder*, if there is one."""
    if not (folder / _FILE).exists():
        return None
    with safe_open(folder / _FILE, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return Checkpoint(
        identity=decode(Identity, json.loads(metadata["identity"]), "identity"),
        progress=decode(Progress, json.loads(metadata["progress"]), "progress"),
        tensors=tensors,
    )


def restore(
    checkpoint: Checkpoint, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Put *modules* and *optimizer* back; return the best weights so far."""
    parts: dict[str, dict[str, Tensor]] = {"best": {}, "optimizer": {}}
    for name, value in checkpoint.tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = value
    for part, module in modules.items():
        module.load_state_dict(parts[part])
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        number, _, field_name = name.partition(".")
        state.setdefault(int(number), {})[field_name] = value
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return parts["best"]
