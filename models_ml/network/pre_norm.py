"""An encoder that normalizes what its layers read instead of what they leave.

What a layer adds then stays as it is all the way up, which lets many layers learn from the first
step on (Xiong et al., On Layer Normalization in the Transformer Architecture, ICML 2020). BERT as
published normalizes after each part; here its parts are the same, put together otherwise.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertModel


class NormalizedFirst(nn.Module):
    """A part of a layer that reads its input normalized."""

    def __init__(self, norm: nn.Module, inner: nn.Module) -> None:
        """Let *inner* read what *norm* makes of its input."""
        super().__init__()
        self.norm, self.inner = norm, inner

    def forward(self, hidden: Tensor, *more: Any, **options: Any) -> Any:
        """Return what the part makes of *hidden* (..., D), normalized."""
        return self.inner(self.norm(hidden), *more, **options)


def normalize_first(encoder: BertModel) -> None:
    """Move each layer's norms before its parts, and put one behind the last layer.

    What the parts add starts smaller the more of them there are, as in GPT-2: their sum then has
    the same size at any depth.
    """
    layers = encoder.encoder.layer
    for layer in layers:
        attention = layer.attention
        attention.self = NormalizedFirst(attention.output.LayerNorm, attention.self)
        layer.intermediate = NormalizedFirst(layer.output.LayerNorm, layer.intermediate)
        attention.output.LayerNorm = layer.output.LayerNorm = nn.Identity()
        with torch.no_grad():
            for adding in (attention.output.dense, layer.output.dense):
                adding.weight /= math.sqrt(2 * len(layers))
    config = encoder.config
    layers[-1].output.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


def norm_and_attention(layer: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Return what a *layer* of either kind does before its attention, and the attention."""
    part = layer.attention.self
    if isinstance(part, NormalizedFirst):
        return part.norm, part.inner
    return nn.Identity(), part
