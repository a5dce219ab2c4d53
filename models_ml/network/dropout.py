"""Dropout that draws little: on CPU torch draws 32 bits and a float for each value, one by one."""

import torch
from torch import Tensor, nn

_LEVELS = 1 << 16


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, with the mask drawn as 16 bits a value on CPU.

    The probability is rounded to a multiple of 2**-16; what is kept is scaled by exactly that
    share, so the expectation is the value. On other devices it is torch's own, fused kernel.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Zero a share ``p`` of *values* in training; any shape."""
        dropped = round(self.p * _LEVELS)
        if not self.training or values.device.type != "cpu" or not 0 < dropped < _LEVELS:
            return super().forward(values)
        # All 64 bits of each number drawn are four masks.
        drawn = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
        bits = drawn.view(torch.int16)[: values.numel()].view(values.shape)
        kept = (bits >= dropped - _LEVELS // 2).to(values.dtype)
        return values * kept.mul_(_LEVELS / (_LEVELS - dropped))


def replace_dropout(module: nn.Module) -> None:
    """Put `Dropout` in the place of every `torch.nn.Dropout` inside *module*."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout:
                setattr(parent, name, Dropout(child.p))
