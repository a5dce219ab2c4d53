"""How weights change: the optimizer, its learning rate, and the running mean of the weights."""

import math

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from models_ml.network.bert import Network
from models_ml.presets import Preset


def optimizer_of(network: Network, preset: Preset) -> torch.optim.Optimizer:
    """Return AdamW, one kernel for all weights; matrices decay, biases and norms do not."""
    decaying = [value for value in network.parameters() if value.dim() > 1]
    others = [value for value in network.parameters() if value.dim() <= 1]
    return torch.optim.AdamW(
        [
            {"params": decaying, "weight_decay": preset.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=preset.learning_rate,
        fused=True,
    )


def average_of(network: Network, kept: float) -> AveragedModel:
    """Keep a running mean of the weights, shorter while there are few steps to take it over."""

    def update(means: list[Tensor], values: list[Tensor], _: Tensor) -> None:
        # Their number is asked of the processor's memory: from a GPU's it would be waited for.
        steps = int(averaged.n_averaged)
        share = min(kept, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(means, values, 1 - share)

    averaged = AveragedModel(network, multi_avg_fn=update)
    # What is no weight is the same in both, and is not copied each step.
    for mean, own in zip(averaged.module.modules(), network.modules(), strict=True):
        for name, buffer in own.named_buffers(recurse=False):
            setattr(mean, name, buffer)
    return averaged


def rate_at(share_done: float, preset: Preset) -> float:
    """Return the share of the learning rate: it rises to 1, then falls along a cosine to .1."""
    warm_up = preset.warm_up_share
    if share_done < warm_up:
        return (share_done + 1e-3) / (warm_up + 1e-3)
    fallen = (share_done - warm_up) / (1 - warm_up)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * fallen))
