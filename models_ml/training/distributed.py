"""Several processes that train one network, each on its share of every batch.

`torchrun` starts them; without it there is one, and it has all to itself.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn

from models_ml.training.batches import Windows


@dataclass(frozen=True)
class Processes:
    """This process's number among all that train, and how many they are."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this one validates, writes and tells."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """This process's own device."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))

    def sum_gradients(self, network: nn.Module) -> None:
        """Let each gradient of *network* be the sum of those that all processes found.

        All must ask for it after the same steps. DistributedDataParallel would do the same while
        gradients are still being found, but the process group then ends with its last reference,
        held where Python's lock is: with gloo that can wait forever (pytorch issue 56297).
        """
        if self.count == 1:
            return
        sums = [
            distributed.all_reduce(parameter.grad, async_op=True)
            for parameter in network.parameters()
        ]
        for one in sums:
            one.wait()

    def share(self, windows: Windows) -> Windows:
        """Choose what this process learns from; windows lie by length, so each gets alike."""
        return windows.take(np.arange(self.rank, len(windows.starts), self.count))

    def summed(self, *values: float) -> list[float]:
        """Add up each of *values* over all processes."""
        if self.count == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(told)
        return list(told.tolist())

    def of_first(self, value: float) -> float:
        """Take the first process's value; the others wait for it."""
        if self.count == 1:
            return value
        told: Tensor = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(told, src=0)
        return float(told.item())


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that `torchrun` has started with this one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
