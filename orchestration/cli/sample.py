"""Verbs of the sample city."""

from typing import TYPE_CHECKING

import click

from orchestration.cli.output import Report, at_work, reports
from serving.home import Home

if TYPE_CHECKING:
    from orchestration.sample.day_files import DayFile
    from orchestration.sample.next_day import NextDay


@click.group()
def sample() -> None:
    """Let the sample city live on."""


@sample.command("next-day")
@reports
@click.pass_obj
def next_day(home: Home) -> Report:
    """Write what is told of the sample city on its next day, in files of its own; land nothing.

    With late, corrected and deleted lines, and a new place; from the third day on taste drifts.
    The same city has the same days. Once more, and it is the day after. Exit 1 where the day is not
    over yet.
    """
    from orchestration.sample.next_day import write_next_day

    with at_work(home):
        written = write_next_day(home)
    return Report(written, _words(written))


def _words(written: "NextDay") -> str:
    width = max(len(file.name) for file in written.files)
    lines = [
        f"Day {written.number} after the sample city's year: {written.day:%A}, {written.day}",
        *(f"  {file.name:<{width}}  {_counts(file)}" for file in written.files),
        f"They lie in {written.folder}. The new place is {written.new_place}.",
        _taste(written),
        "Land it, with all that follows from it: tastemate run",
    ]
    return "\n".join(lines)


def _counts(file: "DayFile") -> str:
    told = {
        "of the day": file.on_time,
        "late": file.late,
        "corrected": file.corrected,
        "deleted": file.deleted,
        "repeated": file.repeated,
        "unfit": file.unfit,
    }
    parts = ", ".join(f"{count:,} {what}" for what, count in told.items() if count)
    return f"{file.lines:,} line{'s' * (file.lines != 1)}: {parts}"


def _taste(written: "NextDay") -> str:
    from orchestration.sample.days import DRIFTS_FROM

    to = ", ".join(written.fashion)
    if written.drifts:
        return f"Since day {DRIFTS_FROM} taste has drifted to {to}."
    return f"Taste is that of the year; from day {DRIFTS_FROM} on it drifts to {to}."
