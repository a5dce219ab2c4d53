"""Records of tensors: dataclasses whose fields are tensors, other such records, or plain values."""

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

Record = TypeVar("Record")


def moved(record: Record, device: torch.device) -> Record:
    """Copy *record* to *device*, without waiting for it where the memory is pinned."""
    return _each(record, lambda tensor: tensor.to(device, non_blocking=True))


def pinned(record: Record) -> Record:
    """Copy *record* into memory that a GPU reads by itself."""
    return _each(record, Tensor.pin_memory)


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{name: _each(part, change) for name, part in vars(value).items()})
    return value
