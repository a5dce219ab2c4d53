"""The sample city of a home: made once, with the truth about its people beside it."""

from dataclasses import dataclass
from pathlib import Path

from orchestration.home.console import console
from orchestration.home.state_files import StateFile
from orchestration.sample import generate
from orchestration.sample.dates import weeks_to
from serving.home import Home, now


@dataclass(frozen=True)
class KeptCity:
    """Of which the home's sample city is made: its size, its seed, and when its year is.

    weeks  by how many its year was moved when it was made; of no city of an earlier version
    """

    events: int
    seed: int
    weeks: int = 0


class OtherCityError(ValueError):
    """The home has another sample city than the one asked for."""


def make(home: Home, *, events: int, seed: int) -> Path:
    """Make the home's sample city, unless it is there already; return its documents.

    One that was made on another day is the same city.
    """
    kept = kept_city(home)
    there = kept.read()
    if there is not None and (there.events, there.seed) != (events, seed):
        raise OtherCityError(
            f"{home.root}: this home has a sample city of about {there.events:,} events, seed "
            f"{there.seed}; the people of a second one would be taken for the same. "
            "Give it a home of its own: tastemate --home DIR"
        )
    if there is None:
        console.print(f"  [bold]▸[/bold] making a sample city with about {events:,} events")
        weeks = weeks_to(now())
        generate(home.sample_city, events=events, seed=seed, weeks=weeks)
        kept.write(KeptCity(events, seed, weeks))
    return home.sample_documents


def kept_city(home: Home) -> StateFile[KeptCity]:
    """Tell where it is kept of which the home's sample city is made."""
    return StateFile(home.sample_size, KeptCity)
