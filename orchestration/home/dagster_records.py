"""What Dagster's records say of a home, read without Dagster, which takes a second to load."""

import sqlite3
from contextlib import closing

import yaml

from serving.home import Home

_OVER = ("SUCCESS", "FAILURE", "CANCELED", "QUEUED")


def is_under_way(home: Home) -> bool | None:
    """Say whether a run is recorded that has not ended; None where only Dagster can tell."""
    settings = home.dagster_settings
    if settings.exists() and "storage" in (yaml.safe_load(settings.read_text()) or {}):
        return None  # the records are elsewhere
    if not home.dagster_runs.exists():
        return False
    with closing(sqlite3.connect(f"{home.dagster_runs.as_uri()}?mode=ro", uri=True)) as database:
        asked = f"select 1 from runs where status not in {_OVER} limit 1"  # noqa: S608 - words of our own
        return database.execute(asked).fetchone() is not None
