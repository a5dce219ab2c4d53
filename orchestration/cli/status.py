"""One screen of how a home stands: read from what lies there, in less than a second."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten

from orchestration.cli.servers import served, to_start_again
from orchestration.delivery.run_report import RunReport, latest_report
from orchestration.home.dagster_records import is_under_way
from orchestration.home.lock import is_free
from orchestration.home.sources import registered
from orchestration.reliability.budget import Standing, standings
from orchestration.warehouse.state_hash import published
from serving import champion
from serving.home import Home, now
from serving.release import ReleaseError, open_release
from serving.servers import Serving, running

_WIDTH = 100
_CUT_OFF = (
    "a run began and has not ended: if Dagster is not at work on one (tastemate dev), it was "
    "killed, and this goes on with it: tastemate run"
)


@dataclass(frozen=True)
class LastRun:
    """How the last run ended."""

    run_id: str
    status: str
    as_of: str
    failures: list[str]


@dataclass(frozen=True)
class LiveRelease:
    """What the home's pointer says is live."""

    release_id: str
    index_id: str
    kind: str | None
    name: str | None
    since: str
    reason: str


@dataclass(frozen=True)
class Status:
    """How a home stands.

    home         where it lies
    is_busy      whether a run is working on it now
    is_cut_off   whether a run is recorded as under way that no process of a verb is working on
    last_run     None where no run has left a report
    live         None where nothing is live
    servers      who answers requests, and with which release
    data_as_of   up to which moment the marts that were published have seen data
    data_age_h   hours since then
    objectives   where each objective stands now, with what is left of its error budget
    next         what to do next, most urgent first
    """

    home: str
    is_busy: bool
    is_cut_off: bool
    last_run: LastRun | None
    live: LiveRelease | None
    servers: list[Serving]
    data_as_of: str | None
    data_age_h: float | None
    objectives: list[Standing]
    next: list[str]


def status_of(home: Home) -> Status:
    """Read how *home* stands.

    Raises:
        RunReportError: an earlier version wrote the last report otherwise.
        SloError, CheckLogError: what objectives are measured by cannot be read.
    """
    report = latest_report(home) if home.report().exists() else None
    live = _live(home)
    servers = running(home)
    objectives = standings(home) if report else []
    state = published(home).read()
    # A run that failed before it published has seen nothing.
    data_as_of = state.as_of if state else None
    is_busy = home.root.exists() and not is_free(home)
    is_cut_off = not is_busy and _has_begun(home)
    return Status(
        home=str(home.root),
        is_busy=is_busy,
        is_cut_off=is_cut_off,
        last_run=_last_run(report) if report else None,
        live=live,
        servers=servers,
        data_as_of=data_as_of,
        data_age_h=_hours_since(data_as_of) if data_as_of else None,
        objectives=objectives,
        next=[
            *([_CUT_OFF] if is_cut_off else []),
            *([] if is_busy else _next(home, report, live, servers, objectives)),
        ],
    )


def _has_begun(home: Home) -> bool:
    # Of records that lie elsewhere, or that SQLite may not write beside, nothing is claimed.
    with suppress(sqlite3.OperationalError):
        return is_under_way(home) is True
    return False


def words(status: Status) -> str:
    """Tell it to a person."""
    lines = [("home", status.home + (", a run is working on it" if status.is_busy else ""))]
    last = status.last_run
    lines.append(("last run", f"{last.status}, {last.run_id[:8]}" if last else "none yet"))
    if status.is_cut_off:
        lines.append(("", "another began after it and has not ended"))
    if last:
        lines += [("", failure) for failure in last.failures]
    if status.data_as_of:
        lines.append(
            ("data", f"as of {status.data_as_of[:16]}, {_age(status.data_age_h or 0)} ago")
        )
    live = status.live
    lines.append(
        ("live", f"{live.kind} {live.name}, release {live.release_id}" if live else "nothing yet")
    )
    if live:
        lines.append(("", shorten(f"since {live.since[:16]}: {live.reason}", _WIDTH)))
    lines += [
        ("" if place else "servers", told)
        for place, told in enumerate(
            [*served(status.servers, live.release_id if live else None)] or ["none"]
        )
    ]
    missed = [one for one in status.objectives if one.met is False]
    kept = sum(one.met is True for one in status.objectives)
    budgets = [one for one in status.objectives if one.budget_left is not None]
    if budgets:
        least = min(budgets, key=lambda one: one.budget_left or 0)
        left = f"{least.budget_left:.0%} of {least.name} {least.indicator}"
        lines.append(
            ("objectives", f"{kept} held, {len(missed)} missed; least of a budget left: {left}")
        )
    lines += [("", _missed(one)) for one in missed]
    lines += [("" if place else "next", told) for place, told in enumerate(status.next)]
    return "\n".join(f"{name:<11} {told}" for name, told in lines)


def _missed(one: Standing) -> str:
    left = f"{one.budget_left or 0:.0%} of its budget left"
    return f"{one.name} {one.indicator} {one.value} of {one.target}, {left}"


def _last_run(report: RunReport) -> LastRun:
    failures = [f"{failure.name}: {failure.error}" for failure in report.failures]
    return LastRun(report.run_id, report.status, report.as_of, failures)


def _live(home: Home) -> LiveRelease | None:
    if not home.champion.exists():
        return None
    live = champion.read(home)
    try:
        card = open_release(home.releases / live.release_id).card
        kind, name = card.kind, card.name
    except ReleaseError:
        return LiveRelease(
            live.release_id, live.index_id, None, None, live.promoted_at, live.reason
        )
    return LiveRelease(live.release_id, live.index_id, kind, name, live.promoted_at, live.reason)


def _next(
    home: Home,
    report: RunReport | None,
    live: LiveRelease | None,
    servers: list[Serving],
    objectives: list[Standing],
) -> Iterator[str]:
    if home.forgetting.exists():
        yield "somebody is being forgotten, and it was stopped: tastemate forget USER again"
    if not registered(home):
        yield "name a source: tastemate run --source sample, or see tastemate ingest --help"
        return
    if report is None or report.status == "failed":
        yield "look at what failed, then: tastemate run" if report else "tastemate run"
    if live:
        yield from to_start_again(servers, live.release_id)
        if not servers:
            yield "nobody serves it on this computer: tastemate serve"
    if any(one.met is False for one in objectives):
        yield "objectives are missed: tastemate slo"


def _hours_since(moment: str) -> float:
    return (now() - datetime.fromisoformat(moment)).total_seconds() / 3600


def _age(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours"  # noqa: PLR2004
