"""Tombstones: who was forgotten, and when they asked; enough to refuse them, not to name them.

A tombstone is the HMAC of a pseudonym under a key of its own. So it can be compared with a line of
the archive as well as with an id that arrives, and tells nothing without that key. They have a file
of their own, so that putting back an old copy of the ledger does not lose them.
"""

import hmac
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from serving.home import Home
from serving.keys import make_key, open_key

KEY_NAME = "tombstones.key"
_SCHEMA = "create table if not exists tombstones (mark text primary key, requested_at text)"


class Tombstones:
    """The tombstones of a home, as they were when it was opened, and those added since."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._key = b""
        self._requested: dict[str, datetime] = {}
        if home.tombstones.exists():
            self._key = open_key(home.keys / KEY_NAME)
            with closing(self._open()) as database:
                rows = database.execute("select mark, requested_at from tombstones")
                self._requested = {mark: datetime.fromisoformat(at) for mark, at in rows}

    def __len__(self) -> int:
        return len(self._requested)

    def add(self, pseudonym: str, requested_at: datetime) -> None:
        """Refuse, durably, what was known of *pseudonym* by *requested_at*."""
        self._key = (open_key if self._requested else make_key)(self._home.keys / KEY_NAME)
        mark = self._mark(pseudonym)
        with closing(self._open()) as database, database:
            database.execute(
                "insert or replace into tombstones values (?, ?)",
                (mark, requested_at.astimezone(UTC).isoformat()),
            )
        self._requested[mark] = requested_at

    def refusal(self, landed_at: datetime, *, is_backfill: bool) -> Callable[[str], bool]:
        """Tell, by pseudonym, whose lines of a file that landed then are refused.

        What was known before the request is. A first bulk load speaks of the past, however late
        it lands: its lines became known when they happened.
        """

        def is_refused(pseudonym: str) -> bool:
            requested_at = self._requested.get(self._mark(pseudonym))
            return requested_at is not None and (is_backfill or landed_at <= requested_at)

        return is_refused if self._requested else lambda _: False

    def __contains__(self, pseudonym: object) -> bool:
        return bool(self._requested) and self._mark(str(pseudonym)) in self._requested

    def asked_since(self, moment: datetime) -> int:
        """Count the people who asked after *moment*."""
        return sum(requested_at > moment for requested_at in self._requested.values())

    def _mark(self, pseudonym: str) -> str:
        return hmac.digest(self._key, pseudonym.encode(), "sha256").hex()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._home.tombstones)
        database.execute("pragma synchronous = full")
        database.execute(_SCHEMA)
        return database
