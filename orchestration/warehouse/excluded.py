"""Who counts in nothing at a moment, by `excluded_people.csv`; what is wrong in it dbt tells."""

import csv
from datetime import UTC, datetime

from serving.home import Home


def excluded_people(home: Home, moment: datetime) -> list[str]:
    """List the pseudonyms of whoever is excluded at *moment*; the whole text if it is not fit."""
    path = home.excluded_people
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8-sig")
    try:
        return sorted(
            row["user_id"]
            for row in csv.DictReader(text.splitlines())
            if _at(row["since"]) <= moment and not (row["until"] and _at(row["until"]) <= moment)
        )
    except (KeyError, TypeError, ValueError):
        return [text]


def _at(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
