"""A home that is built day by day holds what a full refresh gives, and what plain Python says."""

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.home.environment import DBT_PROJECT, exports
from orchestration.reliability.history import checks_of
from orchestration.warehouse.recheck import added_something, recheck
from orchestration.warehouse.state_hash import models_handed_on, state_of
from serving.home import Home
from tests.dbt_project.archive import Archive
from tests.dbt_project.histories import (
    DAYS,
    SIZES,
    Event,
    counted,
    expected_favor,
    land_day_by_day,
    microseconds,
    newest,
)

EXCLUDED = [[], [f"{3:032x}", f"{8:032x}"], [f"{8:032x}"], [f"{2:032x}"]]
"""Who counts in nothing, day by day."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def test_days_added_one_by_one_come_to_what_a_full_refresh_gives(tmp_path: Path) -> None:
    home, anew = Home(tmp_path / "daily"), Home(tmp_path / "anew")
    for day, versions in enumerate(land_day_by_day(Archive(home.root), seed=11)):
        now = DAYS[day] + timedelta(hours=8)
        exclude(home, EXCLUDED[day])
        if day == 1:
            # A build of some models only, as one that was stopped on its way leaves it.
            dbt(home, now, "run", "--exclude", "int_favors_touched+", "fct_sessions")
        said = dbt(home, now, "run", "--vars", "events_in_part: 100")
        assert ("adds to the last whole one" in said) == (day > 0)
        assert ("no whole build to add to" in said) == (day == 0)
        assert_as_told(home, versions, now, EXCLUDED[day])
        if day in {1, 3}:
            assert differing(home, anew, now) == []
    assert_recheck_finds_what_is_wrong(home)


def test_what_cannot_be_added_to_is_built_anew(tmp_path: Path) -> None:
    home, anew = Home(tmp_path / "home"), Home(tmp_path / "anew")
    days = land_day_by_day(archive := Archive(home.root), seed=12)
    next(days), next(days)
    later, earlier = DAYS[1] + timedelta(hours=8), DAYS[1] - timedelta(hours=1)
    dbt(home, later, "run")
    assert "adds to the last" in dbt(home, later, "run")

    assert "of a later moment" in dbt(home, earlier, "run")
    assert differing(home, anew, earlier) == []

    archive.land("sample", "likes", [], landed_at=DAYS[0] - timedelta(days=1))
    assert "landed before others" in dbt(home, later, "run")
    assert differing(home, anew, later) == []

    # A build that did not come to its end has left what was made without somebody.
    exclude(home, [f"{8:032x}"])
    dbt(home, later, "run", "--select", "+fct_events")
    exclude(home, [])
    assert "other people were excluded" in dbt(home, later, "run")
    assert differing(home, anew, later) == []

    assert "the settings" in dbt(home, later, "run", "--vars", "session_gap_minutes: 30")


def differing(home: Home, anew: Home, now: datetime) -> list[str]:
    """Build *anew* from the same archive, and name the models that differ from *home*'s."""
    anew.root.mkdir(exist_ok=True)
    if not anew.raw.exists():
        anew.raw.symlink_to(home.raw, target_is_directory=True)
    if home.excluded_people.exists():
        shutil.copy(home.excluded_people, anew.excluded_people)
    dbt(anew, now, "run", "--full-refresh")
    names = models_handed_on(anew)
    here, there = state_of(home, names).models, state_of(anew, names).models
    return [name for name in names if here[name] != there[name]]


def assert_recheck_finds_what_is_wrong(home: Home) -> None:
    """Compare a sample as it is, and once more with rows altered, lost and made up."""
    assert added_something(home)
    found = recheck(home, people=4)
    assert found.holds
    assert 0 < found.people < len(SIZES)
    assert found.rows > 0

    users = home.marts / "dim_users.parquet"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "create table users as select * replace (event_count + 1 as event_count) "
            f"from '{users}' order by user_id offset 1"
        )
        connection.execute(f"copy users to '{users}'")
    found = recheck(home)
    assert not found.holds
    assert found.people == len(SIZES)
    assert found.wrong_by_model == {"marts/dim_users": len(SIZES)}
    assert Path(found.folder or "").is_dir()
    assert [check.wrong for check in checks_of(home, "marts/dim_users")] == [len(SIZES)]
    # The next build has nothing to add to.
    with duckdb.connect(home.warehouse, read_only=True) as warehouse:
        assert not warehouse.execute(
            "select 1 from duckdb_tables() where table_name = 'last_build'"
        ).fetchall()


def assert_as_told(home: Home, versions: list[Event], now: datetime, excluded: list[str]) -> None:
    """Compare events and favors with the same told in plain Python."""
    moment = microseconds(now)
    events = newest([event for event in versions if event.known_at <= moment])
    facts = {(event.event_id, event.user_id, event.place_id, event.known_at) for event in events}
    told = rows(
        home, "select event_id, user_id, place_id, epoch_us(known_at) from {}", "marts/fct_events"
    )
    assert len(told) == len(events)
    assert set(told) == facts
    counts = rows(home, "select event_id from {} where is_counted", "marts/fct_events")
    assert {event_id for (event_id,) in counts} == {
        event.event_id for event in counted(events, excluded)
    }
    assert len(counts) < len(events)

    favors = rows(
        home,
        "select user_id, epoch_us(known_at), favor from {} as favor",
        "features/user_favor",
    )
    keys = {"user_id", "known_at"}
    told_favors = {
        (user_id, known_at): {name: value for name, value in favor.items() if name not in keys}
        for user_id, known_at, favor in favors
    }
    assert len(told_favors) == len(favors)
    assert told_favors == expected_favor(events, moment, excluded)


def exclude(home: Home, people: list[str]) -> None:
    """Exclude *people*, and others at moments that are over or still to come."""
    others = [f"{4:032x},2099-12-31T12:00:00Z,", f"{5:032x},2024-01-01,2024-01-01T07:59:59+00:00"]
    lines = [*(f"{user_id},2024-01-01," for user_id in people), *others]
    home.excluded_people.write_text("\n".join(["user_id,since,until", *lines, ""]))


def rows(home: Home, sql: str, model: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql.format(f"'{home.root / model}.parquet'")).fetchall()


def dbt(home: Home, now: datetime, *arguments: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *arguments],
        cwd=DBT_PROJECT,
        env=os.environ | exports(home) | {"TASTEMATE_NOW": now.isoformat()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
