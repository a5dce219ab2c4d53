"""Feast: definitions made from dbt's manifest, publishing to the online store, reading, parity."""

import importlib
import sys
from types import ModuleType

import typeguard

# Feast has its own classes rewritten by typeguard at each import, which takes two fifths of it;
# typeguard is for development, and does nothing either under `python -O`.
# Why here: docs/decisions/0004-feast-without-typeguard.md
typeguard.typechecked = lambda target: target  # type: ignore[assignment]


def _defer_torch() -> None:
    """Let Feast load torch when it makes a tensor, which nothing here asks for, not at its import.

    Where torch is installed, it would cost each process that reads features a second and 190 MB.
    """
    wrapper = ModuleType("feast.torch_wrapper")
    wrapper.get_torch = lambda: importlib.import_module("torch")  # type: ignore[attr-defined]
    sys.modules.setdefault(wrapper.__name__, wrapper)


_defer_torch()
