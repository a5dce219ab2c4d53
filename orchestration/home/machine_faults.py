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
from serving.processes import KILLED

_FULL, _READ_ONLY, _FORBIDDEN, _AWAY = "full", "read-only", "forbidden", "away"
_NO_FOLDER = "no folder"
_MEMORY, _LIMIT, _KILLED = "memory", "limit", "killed"

_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOMEM: _MEMORY,
    errno.EIO: _AWAY,
    errno.ESTALE: _AWAY,
    errno.ENOTCONN: _AWAY,
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
    "Input/output error": _AWAY,
    "Stale file handle": _AWAY,
    "Transport endpoint is not connected": _AWAY,
    "failed with exit code `-9`": _KILLED,  # dbt in Dagster
    "died with <Signals.SIGKILL": _KILLED,  # dbt when Dagster asks it for its version
    "bad allocation": _MEMORY,  # DuckDB's and ONNX Runtime's, where the system gives no more
    "bad_alloc": _MEMORY,
    "Out of Memory Error": _LIMIT,  # DuckDB's own
    "MemoryError": _MEMORY,
    "Cannot allocate memory": _MEMORY,
    "can't allocate memory": _MEMORY,  # torch
    "could not create a primitive": _MEMORY,  # oneDNN, where it has no room for its code
    "can't start new thread": _MEMORY,
    "failed to map segment from shared object": _MEMORY,  # a library that is to be loaded
}
_OF_A_PATH = {
    _READ_ONLY: "it lies on a disk that cannot be written to. Make it writable.",
    _FORBIDDEN: "this user may not write or read it. Give the right to.",
    _AWAY: "it cannot be read. Look at its disk, or mount it again.",
}
_KEPT = "Nothing that was acknowledged is lost; the same command goes on."
_LESS_MEMORY = (
    "End something else, or let builds take less (TASTEMATE_MEMORY=2GB) and train a smaller model "
    "(--preset small)."
)
_ENOUGH_MB = 50
"""So much is no full disk, whatever a library says."""
# Not the lines of a traceback, which name source files.
_PATH = re.compile(r"""(?<!File )["'](/[^"']+)["']""")


def in_words(error: BaseException, home: Home) -> str | None:
    """Say what the machine refused, if that is what *error*, or what caused it, comes of."""
    for one in _chain(error):
        fault = _fault(one) or _of_home(one, home)
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


def killed(who: str, home: Home) -> str:
    """Say that a process which worked on *home* was killed."""
    return f"{home.root}: {who} {KILLED}. {_LESS_MEMORY} {_KEPT}"


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


def _of_home(error: BaseException, home: Home) -> str | None:
    """Say whether it is the home itself that cannot be made, as in /proc or below a file."""
    if isinstance(error, FileNotFoundError | NotADirectoryError | FileExistsError):
        made = Path(str(error.filename))
        if home.root.is_relative_to(made) or not home.root.parent.is_dir():
            return _NO_FOLDER
    return None


def _path_in(text: str) -> str | None:
    found = _PATH.search(text)
    return found[1] if found else None


def _sentence(fault: str, path: str | None, home: Home) -> str:
    where = path or str(home.root)
    if fault in {_MEMORY, _LIMIT, _KILLED}:
        return _of_memory(fault, home)
    if fault == _NO_FOLDER:
        return f"{home.root}: no folder can be made there. Choose another: tastemate --home DIR"
    told = _of_a_disk(where) if fault == _FULL else _OF_A_PATH[fault]
    return f"{where}: {told} {_KEPT}"


def _of_a_disk(where: str) -> str:
    free = _free_mb(where)
    if free > _ENOUGH_MB:
        return "its disk could not be written to or read. Look at it."
    return f"no space is left on its disk ({free:.1f} MB free). Make room."


def _of_memory(fault: str, home: Home) -> str:
    if fault == _KILLED:
        return killed("dbt", home)
    if fault == _LIMIT:
        limit = os.environ.get("TASTEMATE_MEMORY", "their own")
        return f"{home.root}: a build needs more memory than TASTEMATE_MEMORY ({limit}). {_KEPT}"
    return f"{home.root}: there is not enough memory. {_LESS_MEMORY} {_KEPT}"


def _free_mb(where: str) -> float:
    path = Path(where)
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 1e6
