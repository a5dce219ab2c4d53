"""The sample city of a home: made once, with the truth about its people beside it."""

from dataclasses import dataclass
from pathlib import Path

from orchestration.home.console import console
from orchestration.home.state_files import StateFile
from orchestration.sample import generate
from serving.home import Home


@dataclass(frozen=True)
class CitySize:
    """Of which the home's sample city is made."""

    events: int
    seed: int


class OtherCityError(ValueError):
    """The home has another sample city than the one asked for."""


def make(home: Home, *, events: int, seed: int) -> Path:
    """Make the home's sample city, unless it is there already; return its documents."""
    kept = StateFile(home.sample_size, CitySize)
    wanted, there = CitySize(events, seed), kept.read()
    if there is not None and there != wanted:
        raise OtherCityError(
            f"{home.root}: this home has a sample city of about {there.events:,} events, seed "
            f"{there.seed}; the people of a second one would be taken for the same. "
            "Give it a home of its own: tastemate --home DIR"
        )
    if there is None:
        console.print(f"  [bold]▸[/bold] making a sample city with about {events:,} events")
        generate(home.sample_city, events=events, seed=seed)
        kept.write(wanted)
    return home.sample_documents
