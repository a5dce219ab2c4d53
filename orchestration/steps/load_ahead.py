"""Loads what later steps need while dbt, a process of its own, leaves this one idle."""

import importlib
import threading
from contextlib import suppress

from orchestration.steps.interrupts import was_asked_to_end

# In the order in which they are needed; the largest is torch with transformers.
_NEEDED = (
    "feature_repo.training",
    "models_ml.train",
    "serving.export",
    "models_ml.evaluate",
    "orchestration.release.model_card",
    "mlflow",
)


def load_ahead() -> None:
    """Load the modules of the later steps of a run, its first one, beside other work."""
    threading.Thread(target=_load, name="load ahead").start()


def _load() -> None:
    for name in _NEEDED:
        if was_asked_to_end():
            return
        # Where it cannot be loaded, the step that needs it says so.
        with suppress(Exception):
            importlib.import_module(name)
