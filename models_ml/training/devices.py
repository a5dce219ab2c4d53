"""What a device does better than another, found out from the device."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

_PACKS_FROM = (8, 0)


def precision(device: torch.device) -> AbstractContextManager[object]:
    """Multiply matrices in bfloat16 on CUDA; on CPU all stays float32."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def packs(device: torch.device) -> bool:
    """Whether *device* has fused attention over packed sequences: CUDA from compute 8.0 on."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= _PACKS_FROM


def works(what: str, trial: Callable[[], object]) -> bool:
    """Run *trial*; if it fails, say that *what* is left out, and why."""
    try:
        trial()
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        told = f"{what} does not work here and is left out: {reason}"
        print(told, file=sys.stderr)  # noqa: T201 - for who watches the training
        return False
    return True


def compile_where_it_works(module: nn.Module, trial: Callable[[], object]) -> bool:
    """Compile *module* in place for sizes that change; say so and leave it where that fails.

    *trial* runs the module once, forward and backward: torch compiles no sooner.
    """
    module.compile(dynamic=True)
    if works("torch.compile", trial):
        return True
    torch.compiler.set_stance("force_eager")
    # What was no failure to compile is raised now.
    trial()
    return False
