"""Publishing features, and comparing what is online with what it should be."""

import json
from dataclasses import asdict
from typing import Any

from feature_repo import parity, publish
from orchestration.home.atomic_files import write_atomically
from orchestration.home.console import say
from orchestration.reliability.history import ONLINE, LoggedCheck, remember
from serving.home import Home, now


def publish_and_compare(home: Home) -> dict[str, Any]:
    """Publish, compare every key, and publish anew in full once if they differ.

    A store that somebody wrote to by hand is mended that way; what still differs is left to
    whoever looks at the figures.
    """
    published = publish.publish(home.root, progress=_tell)
    first = found = _compared(home)
    if not found["holds"]:
        say("online differs from offline; publishing every row anew")
        published = publish.publish(home.root, progress=_tell, full=True)
        found = _compared(home)
    # How the rows did since the last check is what the first comparison found.
    _remember(home, first, is_right_after=found["holds"])
    return asdict(published) | found


def compare(home: Home) -> dict[str, Any]:
    """Compare online and offline features for every key; keep the figures for the run report.

    What was found is added to the log of checks.
    """
    found = _compared(home)
    _remember(home, found, is_right_after=found["holds"])
    return found


def _compared(home: Home) -> dict[str, Any]:
    report = parity.check(home.root)
    found = asdict(report) | {"holds": report.holds}
    write_atomically(home.last_parity, json.dumps(found, default=str))
    return found


def _remember(home: Home, found: dict[str, Any], *, is_right_after: bool) -> None:
    wrong = found["keys"] - found["equal"]
    remember(home, LoggedCheck(ONLINE, now().isoformat(), found["keys"], wrong, is_right_after))


def _tell(view: str, done: int, todo: int) -> None:
    if done == todo or done % 20_000 == 0:
        say(f"{view}: {done:,} of {todo:,} rows")
