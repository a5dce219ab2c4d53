"""Indicators (SLIs): which share of what a home has done was good, over a window of time.

completeness    of a source: lines taken or known already, of all lines that landed; lines of
                people who were forgotten count neither way
freshness       of a source: runs at which its newest landing was young enough; of a table: the
                same of the state it had before the run; the present moment counts as one more
correctness     of a table: rows found right, of all rows checked

None where nothing happened in the window.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.typed_json import read_json
from orchestration.reliability.history import LoggedCheck, logged
from orchestration.reliability.objectives import Objective
from serving.home import Home

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LandedLines:
    """What became of the lines of one file of the ledger."""

    source: str
    landed_at: datetime
    lines_in: int
    accepted: int
    duplicates: int
    erased: int


@dataclass(frozen=True)
class _State:
    as_of: str


@dataclass(frozen=True)
class _PastRun:
    """What is asked of the report of a run of any version."""

    as_of: str
    state: _State | None = None


@dataclass(frozen=True)
class Records:
    """What a home knows about its past; moments are UTC, oldest first.

    files    the ledger's files with what became of their lines
    runs     the moments at which runs ended
    published  those of them at which marts and features were published
    checks   the log of checks
    tables   marts and features, as `folder/model`
    """

    now: datetime
    files: list[LandedLines]
    runs: list[datetime]
    published: list[datetime]
    checks: list[LoggedCheck]
    tables: list[str]


def records_of(home: Home, now: datetime) -> Records:
    """Gather what lies in *home*."""
    reports = [read_json(file, _PastRun) for file in home.run_reports()]
    published = [report.as_of for report in reports if report.state]
    tables = [file for folder in (home.marts, home.features) for file in folder.glob("*.parquet")]
    return Records(
        now=now,
        files=_landed(home.handed_on("marts/fct_landed_files")),
        runs=sorted(datetime.fromisoformat(report.as_of) for report in reports),
        published=sorted(map(datetime.fromisoformat, published)),
        checks=logged(home),
        tables=sorted(f"{table.parent.name}/{table.stem}" for table in tables),
    )


def _landed(ledger: Path) -> list[LandedLines]:
    if not ledger.exists():
        return []
    columns = list(LandedLines.__dataclass_fields__)
    table = pq.ParquetFile(ledger).read(columns=columns)
    # As a moment with a zone, Arrow would load pandas to hand it over: half a second.
    moments = table["landed_at"].cast(pa.int64()).to_pylist()
    rows = table.drop(["landed_at"]).to_pylist()
    return [
        LandedLines(landed_at=_EPOCH + timedelta(microseconds=moment), **row)
        for moment, row in zip(moments, rows, strict=True)
    ]


def measure(records: Records, objective: Objective, name: str) -> float | None:
    """Measure the indicator of *objective*, of the source or table called *name*."""
    since = records.now - timedelta(days=objective.window_days)
    match objective.indicator, objective.of[0]:
        case "completeness", _:
            return _completeness(records, name, since)
        case "correctness", _:
            return _correctness(records, name, since)
        case "freshness", "source":
            limit = timedelta(hours=objective.max_age_hours or 0)
            landed = [file.landed_at for file in records.files if file.source == name]
            return _freshness(landed, [*records.runs, records.now], since, limit)
    limit = timedelta(hours=objective.max_age_hours or 0)
    return _freshness(records.published, [*records.published, records.now], since, limit)


def _completeness(records: Records, source: str, since: datetime) -> float | None:
    files = [one for one in records.files if one.source == source and one.landed_at >= since]
    return _share(
        sum(file.accepted + file.duplicates for file in files),
        sum(file.lines_in - file.erased for file in files),
    )


def _correctness(records: Records, table: str, since: datetime) -> float | None:
    checks = [c for c in records.checks if c.table == table and c.moment >= since]
    rows = sum(check.rows for check in checks)
    return _share(rows - sum(check.wrong for check in checks), rows)


def _freshness(
    made: list[datetime], asked: Iterable[datetime], since: datetime, limit: timedelta
) -> float | None:
    """Count the moments *asked* at which what was made last, before them, was young enough."""
    ages = [
        moment - max(before)
        for moment in asked
        if moment >= since and (before := [one for one in made if one < moment])
    ]
    return _share(sum(age <= limit for age in ages), len(ages))


def _share(good: int, total: int) -> float | None:
    return good / total if total else None
