"""Sessions beside the same told in plain Python, on random histories."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from tests.dbt_project.histories import Event, newest
from tests.dbt_project.worlds import ANNA

PROJECT = Path(__file__).parents[2] / "dbt_project" / "dbt_project.yml"
GAP = yaml.safe_load(PROJECT.read_text())["vars"]["session_gap_minutes"] * 60 * 1_000_000


def test_every_session_is_what_plain_python_says(histories: Any, versions: list[Event]) -> None:
    told = histories.rows(
        "select session_id, user_id, epoch_us(started_at), epoch_us(ended_at), event_count, "
        "place_count, dwell_seconds from {fct_sessions}"
    )
    sessions = list(_sessions(newest(versions)))
    assert len(sessions) > 100
    assert sorted(told) == sorted(map(_told, sessions))


def test_every_event_stands_in_its_session_where_plain_python_says(
    histories: Any, versions: list[Event]
) -> None:
    told = histories.rows("select event_id, session_id, event_number from {fct_session_events}")
    expected = [
        (event.event_id, _session_id(session), number)
        for session in _sessions(newest(versions))
        for number, event in enumerate(session, start=1)
    ]
    assert sorted(told) == sorted(expected)


def test_a_source_that_knows_only_an_order_has_no_sessions(films: Any) -> None:
    assert films.rows("select count(*) from {fct_events}") == [(5,)]
    assert films.rows("select count(*) from {fct_session_events}") == [(0,)]
    assert films.rows("select count(*) from {fct_sessions}") == [(0,)]


def test_a_session_joins_events_over_sources_and_leaves_others_out(mixed: Any) -> None:
    # At New Year Anna liked a place of the sample at midnight, and a shop fifteen hours on.
    sessions = mixed.rows(
        "select started_at, event_count, dwell_seconds from {fct_sessions} "
        "where user_id = ? and started_at >= '2024-01-01' order by started_at",
        ANNA,
    )
    assert sessions == [
        (datetime(2024, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC), 1, 0),
        (datetime(2024, 1, 1, 15, tzinfo=UTC), 1, 0),
    ]


def _sessions(events: list[Event]) -> Iterator[list[Event]]:
    in_order = sorted(events, key=lambda event: (event.user_id, *event.in_time))
    for _, own in groupby(in_order, key=lambda event: event.user_id):
        session: list[Event] = []
        for event in own:
            if session and event.event_at - session[-1].event_at > GAP:
                yield session
                session = []
            session.append(event)
        yield session


def _session_id(session: list[Event]) -> str:
    first = session[0]
    return hashlib.md5(f"{first.user_id}|{first.event_id}".encode()).hexdigest()  # noqa: S324 - a name, no secret


def _told(session: list[Event]) -> tuple[Any, ...]:
    started_at, ended_at = session[0].event_at, session[-1].event_at
    return (
        _session_id(session),
        session[0].user_id,
        started_at,
        ended_at,
        len(session),
        len({event.place_id for event in session}),
        (ended_at - started_at) // 1_000_000,
    )
