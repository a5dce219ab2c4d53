"""The lock of a home: one run at a time works on it."""

from contextlib import AbstractContextManager

from models_ml.files import hold
from serving.home import Home


class BusyError(RuntimeError):
    """Another process is working on the home."""


def alone(home: Home) -> AbstractContextManager[None]:
    """Hold the home for one run.

    Raises:
        BusyError: another run holds the home.
    """
    busy = BusyError(
        f"{home.root}: another run is working on this home. Wait for it, or use another: "
        "tastemate --home DIR"
    )
    return hold(home.lock, busy)


def is_free(home: Home) -> bool:
    """Say whether no run holds the home; it is not held afterwards."""
    try:
        with alone(home):
            return True
    except BusyError:
        return False
