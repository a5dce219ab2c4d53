"""What the machine refuses - room, memory, writing - as one sentence that says where.

Libraries tell of it each in their own way: as an error of the system, of SQLite or of DuckDB, or as
words in the output of another process.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from serving.home import Home

_FULL, _READ_ONLY, _FORBIDDEN, _MEMORY, _LIMIT = "full", "read-only", "forbidden", "memory", "limit"

_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOMEM: _MEMORY,
}
_BY_WORDS = {
    "No space left on device": _FULL,
    "database or disk is full": _FULL,
    "Disk quota exceeded": _FULL,
    # SQLite's word where it cannot map or lengthen a file; the disk is asked in `_sentence`.
    "disk I/O error": _FULL,
    "Read-only file system": _READ_ONLY,
    "attempt to write a readonly database": _READ_ONLY,
    "Permission denied": _FORBIDDEN,
    "unable to open database file": _FORBIDDEN,
    "Out of Memory Error": _LIMIT,  # DuckDB's own
    "failed with exit code `-9`": _MEMORY,  # dbt, killed: what a system without memory does
    "MemoryError": _MEMORY,
    "Cannot allocate memory": _MEMORY,
    "DefaultCPUAllocator: can't allocate memory": _MEMORY,
}
_ENOUGH_MB = 50
"""So much is no full disk, whatever a library says."""
# Not the lines of a traceback, which name source files.
_PATH = re.compile(r"""(?<!File )["'](/[^"']+)["']""")


def in_words(error: BaseException, home: Home) -> str | None:
    """Say what the machine refused, if that is what *error*, or what caused it, comes of."""
    for one in _chain(error):
        fault = _fault(one)
        if fault:
            path = getattr(one, "filename", None)
            return _sentence(fault, str(path) if path else _path_in(str(one)), home)
    return None


def words_in(text: str, home: Home) -> str | None:
    """Say the same where nothing is left of the error but its *text*."""
    for words, fault in _BY_WORDS.items():
        if words in text:
            return _sentence(fault, _path_in(text), home)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _fault(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    return next((fault for words, fault in _BY_WORDS.items() if words in str(error)), None)


def _path_in(text: str) -> str | None:
    found = _PATH.search(text)
    return found[1] if found else None


def _sentence(fault: str, path: str | None, home: Home) -> str:
    where = path or str(home.root)
    kept = "Nothing that was acknowledged is lost; the same command goes on."
    match fault:
        case "full":
            free = _free_mb(where)
            if free > _ENOUGH_MB:
                return f"{where}: its disk could not be written to or read. Look at it. {kept}"
            return f"{where}: no space is left on its disk ({free:.1f} MB free). Make room. {kept}"
        case "read-only":
            return f"{where}: it lies on a disk that cannot be written to. Make it writable. {kept}"
        case "forbidden":
            return f"{where}: this user may not write or read it. Give the right to. {kept}"
        case "limit":
            limit = os.environ.get("TASTEMATE_MEMORY", "their own")
            return f"{home.root}: a build needs more memory than TASTEMATE_MEMORY ({limit}). {kept}"
    return (
        f"{home.root}: there is not enough memory. End something else, or let builds take less: "
        f"TASTEMATE_MEMORY=2GB. {kept}"
    )


def _free_mb(where: str) -> float:
    path = Path(where)
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 1e6
