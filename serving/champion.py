"""The champion: the one pointer that says which release and index are live (promotion)."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from serving.files import drafted
from serving.home import Home, now


@dataclass(frozen=True)
class Champion:
    """What is live, since when and why."""

    release_id: str
    index_id: str
    promoted_at: str
    reason: str


class NoChampionError(Exception):
    """Nothing is live in this home yet."""


def read(home: Home) -> Champion:
    """Read which release and index are live."""
    try:
        return Champion(**json.loads(home.champion.read_text()))
    except FileNotFoundError:
        raise NoChampionError(
            f"{home.champion}: nothing has been promoted. Make and promote a release: tastemate run"
        ) from None


def log(home: Home) -> list[Champion]:
    """List all that has been live in this home, oldest first."""
    path = home.champion_log
    lines = path.read_text().splitlines() if path.exists() else []
    return [Champion(**json.loads(line)) for line in lines]


def promote(home: Home, release_id: str, index_id: str, reason: str) -> Champion:
    """Make *release_id* with *index_id* live, in one step that a crash cannot halve.

    Each promotion is also a line of `champion.log.jsonl`, which says where to roll back to.
    """
    champion = Champion(release_id, index_id, now().isoformat(), reason)
    line = json.dumps(asdict(champion))
    home.root.mkdir(parents=True, exist_ok=True)
    # Both are on the disk before the pointer moves, which takes no room: full disks halve nothing.
    with drafted(home.champion, line + "\n") as put_in_place:
        _append(home.champion_log, line + "\n")
        put_in_place()
    return champion


def _append(path: Path, line: str) -> None:
    """Add a line durably, or leave the file as it was."""
    with path.open("a") as file:
        before = file.tell()
        try:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, before)
            raise
