"""Marts and features beside a full refresh, for a sample of people.

An incremental build adds to the last one and is to come to what a full refresh gives. A sample of
people is built anew from the raw archive, and all that marts and features say of them is compared.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration.home.console import say
from orchestration.home.sql import literal
from orchestration.reliability.history import LoggedCheck, remember
from orchestration.warehouse.dbt_command import ensure_manifest, run_dbt
from orchestration.warehouse.dbt_lines import DbtLines
from orchestration.warehouse.dbt_manifest import models_of
from orchestration.warehouse.held import wait_until_free
from orchestration.warehouse.table_diff import diff, sentence
from serving.home import Home, now

PEOPLE = 2000
BEFORE_ALL = "1900-01-01 00:00:00+00"
KEYS = {
    "marts/fct_events": ["event_id"],
    "marts/dim_users": ["user_id"],
    "marts/fct_session_events": ["event_id"],
    "marts/fct_sessions": ["session_id"],
    "features/user_favor": ["user_id", "known_at"],
}
_HIVE = (
    "union_by_name = true, hive_partitioning = true, "
    "hive_types = {'source': 'varchar', 'kind': 'varchar', 'landed_date': 'date'}"
)


class RecheckError(RuntimeError):
    """There is nothing to compare."""


@dataclass(frozen=True)
class Rechecked:
    """What was compared: people, rows of all models, how many were wrong, and in which model.

    It ``holds`` where nothing differs.
    """

    holds: bool
    people: int
    rows: int
    wrong: int
    wrong_by_model: Mapping[str, int]
    folder: str | None


@dataclass(frozen=True)
class _Sides:
    """Both sides of a comparison, in a folder of `rechecks/`.

    here    what the home says of the people
    there   what a full refresh says of them
    anew    the home of that refresh
    people  who they are
    """

    folder: Path

    @property
    def here(self) -> Path:
        return self.folder / "here"

    @property
    def there(self) -> Path:
        return self.folder / "anew" / "chosen"

    @property
    def anew(self) -> Home:
        return Home(self.folder / "anew")

    @property
    def people(self) -> Path:
        return self.folder / "anew" / "chosen.parquet"


def added_something(home: Home) -> bool:
    """Say whether the last build added new files to one before it."""
    with _warehouse(home) as warehouse:
        asked = (
            "select count(*) from staging.stg_ledger__files where is_new and last_as_of is not null"
        )
        return bool(warehouse.execute(asked).fetchall()[0][0])


def recheck(home: Home, people: int = PEOPLE) -> Rechecked:
    """Compare what marts and features say of about *people* people with a full refresh.

    What was found is added to the log of checks. Where something differs, the next build makes
    everything anew, and both sides are kept in the home's `rechecks/`.

    Raises:
        RecheckError: nothing has been built.
        DbtError: dbt could not build.
    """
    if not (home.warehouse.exists() and home.handed_on("features/user_favor").exists()):
        raise RecheckError(f"{home.root}: nothing is built here. Build it: tastemate build")
    folder = home.recheck_of(now())
    sides = _Sides(folder)
    try:
        chosen, as_of, cutoff = _lay_out(home, sides, people)
        say(f"{chosen:,} people are built anew")
        selected = ("+user_favor", "+fct_sessions", "dim_users")
        settings = json.dumps({"cutoff_at": cutoff})
        arguments = ("run", "--select", *selected, "--vars", settings)
        run_dbt(sides.anew, *arguments, now=as_of, tell=DbtLines().write)
        rows, wrong = _compare(home, sides)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    total = sum(wrong.values())
    rechecked = Rechecked(not total, chosen, rows, total, wrong, str(folder) if wrong else None)
    if rechecked.holds:
        shutil.rmtree(folder)
    else:
        _forget_last_build(home)
    return rechecked


def verdict(rechecked: Rechecked) -> str:
    """Tell a person what was found."""
    compared = f"{rechecked.rows:,} rows of {rechecked.people:,} people"
    if rechecked.holds:
        return f"{compared}: as a full refresh gives them."
    models = ", ".join(f"{name} ({count:,})" for name, count in rechecked.wrong_by_model.items())
    return (
        f"{compared}: {rechecked.wrong:,} are not as a full refresh gives them, in {models}. "
        "The next build makes everything anew: tastemate build. Both sides, to compare with "
        f"tastemate diff: {rechecked.folder}"
    )


def _lay_out(home: Home, sides: _Sides, people: int) -> tuple[int, datetime, str]:
    """Give one side the archive's lines of a sample of people; tell how many, as of when, the cut.

    People who share an event with one of them, as after a correction, come along unasked.
    """
    anew = sides.anew
    for path in (anew.raw, anew.warehouse.parent, anew.dbt, anew.marts, anew.features):
        path.mkdir(parents=True)
    staged = _staged_events(home)
    with _warehouse(home) as warehouse:
        microseconds, cutoff = warehouse.execute(
            "select epoch_us(max(as_of)), (select max(as_of)::varchar from marts.feature_moments "
            "where purpose = 'cutoff') from staging.stg_ledger__files"
        ).fetchall()[0]
        as_of = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        archived = f"read_parquet({literal(home.all_lines)}, {_HIVE})"
        files = "select file_id from staging.stg_ledger__files"
        (everyone,) = warehouse.execute("select count(*) from marts.dim_users").fetchall()[0]
        # Of the archive's people: one who was lost on the way to the marts must be found missing.
        warehouse.execute(
            f"create temp table chosen as select distinct user_id from {archived} "  # noqa: S608 - paths and names of our own
            f"where user_id is not null and file_id in ({files}) "
            f"and md5_number_lower(user_id || {literal(as_of)}) % {max(1, everyone // people)} = 0"
        )
        versions = " union all ".join(
            f"select event_id, user_id from staging.{model} where line_status = 'accepted'"  # noqa: S608
            for model in staged
        )
        warehouse.execute(
            "create temp table involved as select user_id from chosen union "  # noqa: S608
            f"select user_id from ({versions}) where event_id in "
            f"(select event_id from ({versions}) where user_id in (from chosen))"
        )
        warehouse.execute(
            f"copy (select * from {archived} where file_id in ({files}) "  # noqa: S608
            "and user_id in (from involved)) "
            f"to {literal(anew.lines)} (format parquet, partition_by (source, kind, landed_date))"
        )
        for path, copied in (
            (home.landed_files, anew.landed_files),
            (home.landed_fields, anew.landed_fields),
        ):
            warehouse.execute(
                f"copy (select * from read_parquet({literal(path)}) where file_id in ({files})) "  # noqa: S608
                f"to {literal(copied)}"
            )
        if home.excluded_people.exists():
            shutil.copy(home.excluded_people, anew.excluded_people)
        chosen = warehouse.execute("copy (from chosen) to " + literal(sides.people))
        return chosen.fetchall()[0][0], as_of, cutoff or BEFORE_ALL


def _staged_events(home: Home) -> list[str]:
    """List the staging models that hold events: those that fct_events reads, as dbt says."""
    models = {model.name: model for model in models_of(ensure_manifest(home))}
    read = (models[name] for name in models["fct_events"].parents)
    return [
        model.name
        for model in read
        if model.stage == "staging" and not model.name.startswith("stg_ledger__")
    ]


def _compare(home: Home, sides: _Sides) -> tuple[int, dict[str, int]]:
    """Compare the chosen people's rows, model by model; tell how many there are, and differ."""
    rows, wrong = 0, {}
    for name, key in KEYS.items():
        kept = []
        for built, folder in ((home, sides.here), (sides.anew, sides.there)):
            target = folder / f"{name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            with duckdb.connect() as connection:
                connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
                connection.execute(
                    f"copy (select * from read_parquet({literal(built.handed_on(name))}) "  # noqa: S608
                    f"where user_id in (from {literal(sides.people)})) to {literal(target)}"
                )
            kept.append(str(target))
        differences = diff(kept[0], kept[1], key)
        differing = differences.inserted + differences.deleted + differences.changed
        remember(
            home, LoggedCheck(name, now().isoformat(), differences.rows_b, differing, not differing)
        )
        rows += differences.rows_b
        if differing:
            wrong[name] = differing
            say(f"{name}: {sentence(differences)}")
    return rows, wrong


def _forget_last_build(home: Home) -> None:
    """Leave nothing to add to, so that the next build makes everything anew."""
    wait_until_free(home)
    with duckdb.connect(home.warehouse) as warehouse:
        warehouse.execute("drop table if exists state.last_build")


def _warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    wait_until_free(home)
    connection = duckdb.connect(home.warehouse, read_only=True)
    connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
    return connection
