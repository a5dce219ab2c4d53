"""user_favor beside the same told in plain Python, on random histories."""

from collections import defaultdict
from typing import Any

from tests.dbt_project.histories import Event, expected_favor, newest

NOW = 1_709_251_200_000_000


def test_every_row_is_what_plain_python_says(histories: Any, versions: list[Event]) -> None:
    rows = histories.rows("select user_id, epoch_us(known_at), favor from {user_favor} as favor")
    told = {(user_id, known_at): _without_keys(favor) for user_id, known_at, favor in rows}
    assert len(told) == len(rows)
    assert told == expected_favor(newest(versions), NOW)


def test_the_windows_and_the_present_together_hold_the_whole_history(histories: Any) -> None:
    held = defaultdict(set)
    for user_id, event_ids in histories.rows("select user_id, event_ids from {user_favor}"):
        held[user_id] |= set(event_ids)
    # Late rows beyond 200 of one landing may be missing; none of the bulk load is.
    bulk = histories.rows(
        "select user_id, event_id from {fct_events} where is_backfill and is_counted"
    )
    assert all(event_id in held[user_id] for user_id, event_id in bulk)


def test_the_cutoff_is_where_the_last_tenth_begins(histories: Any) -> None:
    moments = histories.rows(
        "select distinct epoch_us(as_of) from {feature_moments} where purpose = 'cutoff'"
    )
    assert len(moments) == 1
    shares = histories.rows(
        "select avg((epoch_us(event_at) > ?)::int) from {fct_events} where is_counted",
        moments[0][0],
    )
    assert 0.1 <= shares[0][0] < 0.11


def test_a_row_at_the_cutoff_knows_nothing_of_what_comes_after(histories: Any) -> None:
    leaks = histories.rows(
        "select count(*) from {user_favor} as favor join "
        "(select min(as_of) as as_of from {feature_moments} where purpose = 'cutoff') as cut "
        "on favor.known_at <= cut.as_of "
        "where list_max(event_ats) > epoch_us(cut.as_of)"
    )
    assert leaks == [(0,)]


def _without_keys(favor: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in favor.items() if name not in {"user_id", "known_at"}}
