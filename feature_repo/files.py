"""Files and folders that appear whole or not at all, and the lock of what one process may write."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str, mode: int = 0o666) -> None:
    """Write *text* to *path*: a reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode)
        draft.write_text(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # on a full disk it would be in the way


@contextmanager
def draft_folder(beside: Path) -> Iterator[Path]:
    """Give an empty folder in *beside* to fill and rename; if it is not renamed, it goes."""
    draft = beside / f".draft-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def hold(lock: Path, busy: Exception) -> Iterator[None]:
    """Hold the file *lock*; the system lets go of it when the process ends in any way.

    Raises:
        Exception: *busy*, where somebody else holds it.
    """
    # A service writes none of this, and installs no filelock.
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock).acquire(timeout=0)
    except Timeout:
        raise busy from None
    with held:
        yield
