"""The secret keys of a home: made once, at the first landing, and only opened afterwards."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


class KeyFaultError(Exception):
    """A key that the home needs is absent or is no key."""


def make_key(path: Path) -> bytes:
    """Read the key at *path*; make it first where there is none.

    The key appears whole or not at all, and of two processes that make it at once
    both get the one that was first.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Not renamed, as other files are: a key that is there already must never be replaced.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return open_key(path)


def open_key(path: Path) -> bytes:
    """Read the key at *path*."""
    if not path.exists():
        raise KeyFaultError(
            f"{path}: there is no such key. It is made when data first lands (tastemate ingest) "
            "and never again, for a new one would make every person a stranger. Put it back from "
            "where you keep its copy, or point TASTEMATE_KEYS at the folder that holds it."
        )
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise KeyFaultError(
            f"{path}: the key has {len(key)} bytes; it must have {KEY_BYTES}. "
            "Put the key back from where you keep its copy."
        )
    return key
