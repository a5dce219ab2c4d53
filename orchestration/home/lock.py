"""Locks: one process at a time works on a home, or on a part of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

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


@contextmanager
def hold(lock: Path, busy: Exception) -> Iterator[None]:
    """Hold the file *lock*; the system lets go of it when the process ends in any way.

    Raises:
        Exception: *busy*, where somebody else holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock).acquire(timeout=0)
    except Timeout:
        raise busy from None
    with held:
        yield
