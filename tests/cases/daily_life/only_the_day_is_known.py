"""Likes of which only the day is known, so that something else orders them within it."""

import hashlib
import random
from datetime import date, timedelta
from pathlib import Path

from tests.cases.daily_life.small_home import write_csv
from tests.models_ml.conftest import Choices

MAPPING = Path(__file__).with_name("marks.yml")
MAPPING_OWN_IDS = Path(__file__).with_name("marks_own_ids.yml")
BEGIN = date(2025, 3, 1)
MINUTES_OF_A_DAY = 24 * 60

Mark = tuple[str, str, int]
"""Who, where and on which day after `BEGIN`."""


def marks() -> list[Mark]:
    """Let 300 people like 15 random places on each of 3 days: nothing can be predicted."""
    draw = random.Random(9)  # noqa: S311 - an invented town
    made = [
        (f"u{user:03d}", f"p{place:03d}", day)
        for user in range(300)
        for day in sorted(draw.sample(range(60), 3))
        for place in draw.sample(range(200), 15)
    ]
    draw.shuffle(made)
    return made


def write_marks(folder: Path) -> None:
    """Write the likes as `events.csv`, which both mappings describe."""
    rows = [(user, place, _day(day), _own_id(user, place, day)) for user, place, day in marks()]
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "events.csv", ("who", "where", "when", "key"), rows)


def choices(*, own_ids: bool) -> Choices:
    """Give the likes in the order that the marts give them: by time, then by the md5 of the id.

    Right: as nothing can be predicted, NDCG@10 of every baseline is about .02, with the source's
    own ids as with hashed ones. Seen, where the id itself decided: own ids begin with user and
    place, so that places stand in the order of their names, and co_occurrence reached .209.
    """
    event_id = _own_id if own_ids else _hashed_id
    in_order = sorted(
        (day, _md5(event_id(user, place, day)), user, place) for user, place, day in marks()
    )
    made: Choices = {}
    for day, _, user, place in in_order:
        made.setdefault(user, []).append((place, day * MINUTES_OF_A_DAY))
    return made


def _day(day: int) -> str:
    return (BEGIN + timedelta(days=day)).isoformat()


def _own_id(user: str, place: str, day: int) -> str:
    return f"{user}_{place}_{_day(day)}"


def _hashed_id(user: str, place: str, day: int) -> str:
    return _md5(f"marks|{user}|{place}|{_day(day)}|like")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - an order, no secret
