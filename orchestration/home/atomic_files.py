"""Small files written so that a reader sees the old one or the new one, never a part."""

import json
import os
from pathlib import Path
from typing import Any


def write_atomically(path: Path, text: str) -> None:
    """Write *text* to *path* in one step, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


def read_json(path: Path) -> Any:
    """Read *path*, or give None where there is no such file."""
    return json.loads(path.read_text()) if path.exists() else None
