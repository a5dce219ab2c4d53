"""The sample city of a home: made once, with the truth about its people beside it."""

import json
from pathlib import Path

from orchestration.home.atomic_files import read_json, write_atomically
from orchestration.home.console import console
from orchestration.sample import generate
from serving.home import Home


class OtherCityError(ValueError):
    """The home has another sample city than the one asked for."""


def make(home: Home, *, events: int, seed: int) -> Path:
    """Make the home's sample city, unless it is there already; return its documents."""
    wanted, there = {"events": events, "seed": seed}, read_json(home.sample_size)
    if there is not None and there != wanted:
        raise OtherCityError(
            f"{home.root}: this home has a sample city of about {there['events']:,} events, seed "
            f"{there['seed']}; the people of a second one would be taken for the same. "
            "Give it a home of its own: tastemate --home DIR"
        )
    if there is None:
        console.print(f"  [bold]▸[/bold] making a sample city with about {events:,} events")
        generate(home.sample_city, events=events, seed=seed)
        write_atomically(home.sample_size, json.dumps(wanted))
    return home.sample_documents
