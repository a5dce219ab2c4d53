"""Sequences one after the other, without padding."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Packing:
    """Where the events of a padded batch stand in one row without padding.

    at         (N,)    of each event, its place in the flattened batch
    positions  (N,)    its place in its own sequence
    bounds     (B+1,)  int32: where each sequence begins, and where the last one ends
    """

    at: Tensor
    positions: Tensor
    bounds: Tensor

    @classmethod
    def of(cls, lengths: Tensor, width: int) -> "Packing":
        """Lay out sequences of *lengths* (B,) that were padded to *width*."""
        positions = torch.arange(width).expand(len(lengths), width)
        is_event = positions < lengths[:, None]
        bounds = functional.pad(lengths.cumsum(0), (1, 0)).to(torch.int32)
        return cls(is_event.flatten().nonzero().squeeze(1), positions[is_event], bounds)

    def pack(self, values: Tensor) -> Tensor:
        """Turn (B, T, ...) into (1, N, ...)."""
        return values.flatten(0, 1)[self.at].unsqueeze(0)

    def unpack(self, values: Tensor, shape: tuple[int, int]) -> Tensor:
        """Turn (1, N, D) into (B, T, D); padding becomes zeros."""
        batch, width = shape
        empty = values.new_zeros(batch * width, values.shape[-1])
        return empty.index_copy(0, self.at, values[0]).unflatten(0, (batch, width))
