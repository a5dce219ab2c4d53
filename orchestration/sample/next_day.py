"""The next day of a home's sample city, in files of its own beside those that are there."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from orchestration.home.atomic_files import write_atomically
from orchestration.sample.dates import day_after
from orchestration.sample.day_files import KINDS, DayFile, files_of
from orchestration.sample.days import day_of
from orchestration.sample.documents import place_id
from orchestration.sample.fashion import in_fashion
from orchestration.sample.home_city import KeptCity, kept_city
from orchestration.sample.past import Size, past_of
from serving.home import Home, now


class NextDayError(RuntimeError):
    """The next day cannot be told of."""


@dataclass(frozen=True)
class NextDay:
    """A day of the sample city, as it was written.

    number   days since the last one of the city's year
    drifts   whether taste has drifted by then
    fashion  the categories that it drifts to
    """

    number: int
    day: date
    folder: Path
    new_place: str
    drifts: bool
    fashion: list[str]
    files: list[DayFile]


def write_next_day(home: Home) -> NextDay:
    """Write the day after the newest one that the files of *home*'s sample city tell of.

    Where only some of a day's files are there, as after a kill, that day is written again, which
    gives the same bytes.

    Raises:
        NextDayError: there is no sample city, or the day is not over.
    """
    kept = kept_city(home).read()
    if kept is None:
        raise NextDayError(
            f"{home.root}: this home has no sample city. Make one: tastemate demo, or "
            "tastemate run --source sample"
        )
    number = _days_told_of(home.sample_documents, kept) + 1
    day = day_after(kept.weeks, number)
    if now().date() <= day:
        raise NextDayError(
            f"{home.root}: the sample city's next day is {day}, and it is not over yet. It will be "
            f"from {day + timedelta(days=1)} on, UTC."
        )
    past = past_of(kept.seed, Size.of(kept.events))
    told = day_of(past, number)
    files = []
    for file, content in files_of(past, told, kept.weeks, _name("{kind}", day)):
        write_atomically(home.sample_documents / file.name, content)
        files.append(file)
    return NextDay(
        number=number,
        day=day,
        folder=home.sample_documents,
        new_place=place_id(told.world.city, told.new_place),
        drifts=told.drifts,
        fashion=in_fashion(past),
        files=files,
    )


def _days_told_of(folder: Path, kept: KeptCity) -> int:
    """Count the days from the end of the year to the newest one of which all files are there."""
    there = {path.name for path in folder.iterdir()}
    passed = (now().date() - day_after(kept.weeks, 0)).days
    told_of = (
        number
        for number in range(passed, 0, -1)
        if all(_name(kind, day_after(kept.weeks, number)) in there for kind in KINDS)
    )
    return next(told_of, 0)


def _name(kind: str, day: date) -> str:
    return f"{kind}-{day}.jsonl"
