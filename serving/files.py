"""Files and folders that are there whole after a power cut, or as they were before."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def put_in_place(draft: Path, path: Path) -> None:
    """Rename the file *draft* to *path* so that after a power cut there is the old or the new."""
    _flush(draft)
    draft.replace(path)
    _flush(path.parent)


def write_durably(path: Path, text: str) -> None:
    """Write *text* to *path* so that after a power cut there is the old file or the new one."""
    with drafted(path, text) as put:
        put()


@contextmanager
def drafted(path: Path, text: str) -> Iterator[Callable[[], None]]:
    """Write *text* beside *path*, and give what puts it in place; without that call it goes."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", text=True)
    draft = Path(name)
    try:
        os.close(handle)
        draft.write_text(text)
        _flush(draft)
        yield lambda: put_in_place(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def draft_folder(beside: Path) -> Iterator[Path]:
    """Give an empty folder in *beside* to fill and settle; if it is not settled, it goes."""
    beside.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=beside))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def settle(draft: Path, final: Path) -> None:
    """Give the finished folder *draft* its content's name, durably and in one step.

    If the name is taken, the same content is already there and is left as it is.
    """
    if final.exists():
        return
    for path in (*draft.iterdir(), draft):
        _flush(path)
    draft.chmod(0o755)
    try:
        draft.rename(final)
    except OSError:
        # Another process may have settled the same content in between.
        if not final.exists():
            raise
    _flush(final.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
