"""When the city's year is: moved once, when the city is made, by whole weeks up to now."""

from datetime import date, datetime, timedelta

import numpy as np

from orchestration.sample.life import LAST_DAY

DAY_MS = 24 * 60 * 60 * 1000
WEEK_MS = 7 * DAY_MS
_LAST: date = LAST_DAY.astype("datetime64[D]").item()


def weeks_to(now: datetime) -> int:
    """Tell by how many weeks to move the year so that it ends in the calendar week before *now*.

    Weekdays and hours stay. Weeks begin on Monday and the year ends on a Tuesday, so that five days
    after it are over at least, and eleven at most.
    """
    return (_monday(now.date()) - _monday(_LAST)).days // 7 - 1


def day_after(weeks: int, number: int) -> date:
    """Give the day, *number* days after the last one of a year moved by *weeks*."""
    return _LAST + timedelta(weeks=weeks, days=number)


def midnight(number: int) -> int:
    """Tell when that day begins, in milliseconds since 1970, where the year is not moved."""
    day = np.datetime64(day_after(0, number), "ms")
    return int(day.astype(np.int64))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
