"""The city's year is moved by whole weeks, so that it ends in the week before it was made."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestration.sample.dates import WEEK_MS, day_after, weeks_to
from orchestration.sample.life import LAST_DAY

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def test_the_year_stays_where_it_was_written_in_the_week_after_it() -> None:
    assert weeks_to(datetime(2026, 7, 6, tzinfo=UTC)) == 0
    assert weeks_to(datetime(2026, 7, 12, 23, 59, tzinfo=UTC)) == 0
    assert weeks_to(datetime(2026, 7, 13, tzinfo=UTC)) == 1
    assert weeks_to(datetime(2026, 7, 5, tzinfo=UTC)) == -1


@given(MOMENTS)
def test_the_year_ends_in_the_week_before(now: datetime) -> None:
    last = day_after(weeks_to(now), 0)
    assert last.weekday() == date(2026, 6, 30).weekday()
    assert last.isocalendar()[:2] == (now - timedelta(weeks=1)).date().isocalendar()[:2]
    # Whenever it is made, the five days after it are over.
    assert day_after(weeks_to(now), 5) < now.date()


def test_days_are_counted_from_the_years_end() -> None:
    moved = (LAST_DAY + np.timedelta64(3 * WEEK_MS, "ms")).item()
    assert day_after(3, 0) == moved.date()
    assert day_after(3, 2) == moved.date() + timedelta(days=2)
