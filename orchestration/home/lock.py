"""The lock of a home: one process at a time works on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from serving.home import Home


class BusyError(RuntimeError):
    """Another process is working on the home."""


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the home for one run; the system lets go of it when the process ends in any way.

    Raises:
        BusyError: another run holds the home.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(
            f"{home.root}: another run is working on this home. Wait for it, or use another: "
            "tastemate --home DIR"
        ) from None
    try:
        yield
    finally:
        lock.release()
