"""The lock of a home: one run at a time works on it."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from models_ml.files import hold
from serving.home import Home

HELD = "HELD_HOME"
"""The variable that tells the dbt which this process starts that it may work on the home."""


class BusyError(RuntimeError):
    """Another process is working on the home."""


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the home for one run.

    Raises:
        BusyError: another run holds the home.
    """
    busy = BusyError(
        f"{home.root}: another run is working on this home. Wait for it, or use another: "
        "tastemate --home DIR"
    )
    with hold(home.lock, busy):
        os.environ[HELD] = str(home.root.resolve())
        try:
            yield
        finally:
            os.environ.pop(HELD, None)


def is_free(home: Home) -> bool:
    """Say whether no run holds the home; it is not held afterwards."""
    try:
        with alone(home):
            return True
    except BusyError:
        return False
    except OSError:
        return True  # on a disk that cannot be written to nobody works


def alone_rebuilding(home: Home) -> AbstractContextManager[None]:
    """Hold what past days are built from; whoever is forgotten must not come back that way.

    Raises:
        BusyError: a past day is being built, or somebody is being forgotten.
    """
    busy = BusyError(
        f"{home.root}: a past day or a sample is being built again, or somebody is being "
        "forgotten. Wait for it, then run this again."
    )
    return hold(home.rebuild_lock, busy)
