"""Attention to what came before, in padded batches and in packed sequences."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface

ATTENTION = "sdpa_or_packed"
"""The name that `attention` has in transformers."""

# What a causal mask is called has changed between torch 2.10 and 2.12.
_IS_CAUSAL: dict[str, bool | tuple[int, int]] = (
    {"window_size": (-1, 0)}
    if "window_size" in inspect.signature(varlen_attn).parameters
    else {"is_causal": True}
)


def attention(  # noqa: PLR0913, PLR0917 - transformers' interface
    module: nn.Module,  # noqa: ARG001
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001 - transformers makes none for a name of ours
    bounds: Tensor | None = None,
    longest: int = 0,
    **more: Any,  # noqa: ARG001
) -> tuple[Tensor, None]:
    """Attend to oneself and to what came before, in padded batches or in packed sequences.

    query, key, value  (B, H, T, D), or (1, H, N, D) with *bounds*
    bounds             (B+1,)  as in `Packing`
    longest            at least the length of the longest sequence

    The answer is (B, T, H, D). Padding stands behind what is read, so the order alone hides it.
    Where there is no fused kernel, packed sequences take a mask of N x N.
    """
    if bounds is None:
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    elif query.is_cuda and query.dtype in {torch.bfloat16, torch.float16}:
        rows = (part[0].transpose(0, 1) for part in (query, key, value))
        return varlen_attn(*rows, bounds, bounds, longest, longest, **_IS_CAUSAL)[None], None
    else:
        steps = torch.arange(query.shape[2], device=query.device)
        sequence = torch.bucketize(steps, bounds[1:], right=True)
        is_seen = (sequence[:, None] == sequence) & (steps[:, None] >= steps)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=is_seen)
    return seen.transpose(1, 2), None


AttentionInterface.register(ATTENTION, attention)
