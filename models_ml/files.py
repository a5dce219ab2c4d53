"""Files that appear whole or not at all, and locks: one process at a time writes a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name to write to; what lies there at the end becomes *path*, in one step.

    It is always the same name, so that the next to write replaces what a kill has left of a large
    file. Two at once need a lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    yield unfinished
    unfinished.replace(path)


@contextmanager
def hold(lock: Path, busy: Exception) -> Iterator[None]:
    """Hold the file *lock*; the system lets go of it when the process ends in any way.

    Raises:
        Exception: *busy*, where somebody else holds it.
    """
    # A service loads models and trains none, and installs no filelock.
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Somebody may only be looking whether it is free.
        held = FileLock(lock).acquire(timeout=0.2, poll_interval=0.02)
    except Timeout:
        raise busy from None
    with held:
        yield
