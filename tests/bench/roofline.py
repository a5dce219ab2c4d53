"""What a step of the encoder costs at least: operations and bytes, from its size alone.

`docs/reference/roofline.md` has the formulas and where they come from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MATRICES = 24
_FORWARD_AND_BACKWARD = 3
_VALUES_MOVED = 34
_BYTES = 2


@dataclass(frozen=True)
class Encoder:
    """The size of a BERT encoder whose inner width is four times its width."""

    width: int
    layers: int

    def operations(self, lengths: NDArray[np.int64]) -> float:
        """Count what multiplying costs, forward and backward, for sequences of *lengths* (B,).

        A multiplication and its addition are two. Each position attends to itself and to what
        came before; embeddings, loss and all that is no product of matrices count as nothing.
        """
        matrices = _MATRICES * self.width**2 * float(lengths.sum())
        attention = 2 * self.width * float((lengths * (lengths + 1)).sum())
        return _FORWARD_AND_BACKWARD * self.layers * (matrices + attention)

    def bytes_moved(self, tokens: int) -> float:
        """Count what activations move, in bfloat16, if every operation reads and writes memory."""
        values = _VALUES_MOVED * self.width * self.layers * tokens
        return float(_FORWARD_AND_BACKWARD * _BYTES * values)


@dataclass(frozen=True)
class Card:
    """What a device does at best: operations a second on matrices, bytes a second copied."""

    operations: float
    copied: float

    def least_seconds(self, operations: float, moved: float) -> float:
        """Return the time below which no step can be: that of the scarcer of the two."""
        return max(operations / self.operations, moved / self.copied)
