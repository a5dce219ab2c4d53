"""The log of checks: how many rows each comparison looked at, and how many were wrong.

`state/checks.jsonl`, one line a check, added to and never rewritten.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise

from orchestration.reliability.survival import Check
from serving.home import Home

ONLINE = "online"
"""The table of all features online, which parity compares with the offline ones."""

_DAY = 86_400


@dataclass(frozen=True)
class LoggedCheck:
    """One check of a table; ``is_right_after``: nothing was wrong, or it was mended at once."""

    table: str
    checked_at: str
    rows: int
    wrong: int
    is_right_after: bool

    @property
    def moment(self) -> datetime:
        """When the table was checked."""
        return datetime.fromisoformat(self.checked_at)


class CheckLogError(ValueError):
    """The log of checks cannot be read."""


def remember(home: Home, check: LoggedCheck) -> None:
    """Add *check* to the home's log."""
    path = home.check_log
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as log:
        log.write(json.dumps(asdict(check)) + "\n")


def logged(home: Home) -> list[LoggedCheck]:
    """Read the home's log, in the order of time.

    Raises:
        CheckLogError: a line of it is no check.
    """
    path, checks = home.check_log, []
    lines = path.read_text().splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            check = LoggedCheck(**json.loads(line))
            _ = check.moment
        except (TypeError, ValueError) as error:
            raise CheckLogError(
                f"{path}:{number}: this is no check: {error}. Remove the line; the others hold."
            ) from error
        checks.append(check)
    return sorted(checks, key=lambda check: check.moment)


def checks_of(home: Home, table: str) -> list[Check]:
    """Give what was found each time the rows of *table* had all been right when last looked at."""
    of_table = [check for check in logged(home) if check.table == table]
    return [
        Check((check.moment - before.moment).total_seconds() / _DAY, check.rows, check.wrong)
        for before, check in pairwise(of_table)
        if before.is_right_after and check.rows and check.moment > before.moment
    ]
