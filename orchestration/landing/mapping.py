"""Mapping files: which column of a source means what.

A new source is a new mapping file and nothing else. `docs/how-to/bring-your-own-data.md`
is the reference; what is checked here is what the page says.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

import duckdb
from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.home.yaml_files import read_described
from orchestration.landing.errors import MappingError

Format = Literal["parquet", "csv", "jsonl"]
Column = Annotated[str, Field(min_length=1)]
SAMPLE: Final = "sample"


class Strict(BaseModel):
    """Takes the fields it knows and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Time(Strict):
    """The column that tells when an event happened, and how it tells it."""

    column: Column
    unit: Literal["s", "ms", "us", "iso"] = "iso"
    timezone: str = "UTC"


class Events(Strict):
    """Where the values of an event stand."""

    file: str
    user: Column
    place: Column
    time: Time | None = None
    order: Column | None = None
    kind: Column
    rating: Column | None = None
    event_id: Column | None = None
    discoverable: Column | None = None
    deleted: Column | None = None
    max_events_per_day: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _time_or_order(self) -> Self:
        if self.time is None and self.order is None:
            raise ValueError(
                "'time' or 'order' must be there, or both: 'time' names the column of the moment, "
                "'order' the column that counts a user's events where no moment is known, or those "
                "of one moment where it is"
            )
        return self

    @model_validator(mode="after")
    def _days_are_known(self) -> Self:
        if self.max_events_per_day and self.time is None:
            raise ValueError("'max_events_per_day' needs 'time', for an order alone has no days")
        return self

    def columns(self) -> list[str]:
        """List the columns that the events file must have."""
        named = [self.user, self.place, self.order, self.rating, self.event_id]
        named += [self.discoverable, self.deleted, self.time.column if self.time else None]
        named += [] if self.kind in ("like", "review", "visit") else [self.kind]
        return [column for column in named if column]


class Places(Strict):
    """Where the values of a place stand."""

    file: str
    place: Column
    categories: Column | None = None
    separator: Annotated[str, Field(min_length=1)] | None = None
    latitude: Column | None = None
    longitude: Column | None = None
    district: Column | None = None

    @model_validator(mode="after")
    def _both_coordinates_or_none(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("'latitude' and 'longitude' go together: name both columns or neither")
        return self

    def columns(self) -> list[str]:
        """List the columns that the places file must have."""
        named = [self.place, self.categories, self.latitude, self.longitude, self.district]
        return [column for column in named if column]


class Mapping(Strict):
    """One source, described."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    format: Format
    events: Events
    places: Places | None = None

    @model_validator(mode="after")
    def _not_the_sample(self) -> Self:
        if self.source == SAMPLE:
            raise ValueError("the name 'sample' is taken by the sample city; choose another")
        return self

    def to_json(self) -> str:
        """Give the mapping as the ledger keeps it."""
        return self.model_dump_json(exclude_none=True)


def load_mapping(path: Path) -> Mapping:
    """Read the mapping file at *path*; say which field is wrong and what would be right."""
    mapping = read_described(path, Mapping, MappingError, called="mapping", hint=_shipped())
    time = mapping.events.time
    if time and not _is_timezone(time.timezone):
        raise MappingError(
            f"{path}: events.time.timezone: there is no time zone {time.timezone!r}. "
            "It takes a name such as Europe/Berlin, or UTC."
        )
    return mapping


def _is_timezone(name: str) -> bool:
    """Ask DuckDB, which is to read the times."""
    asked = "select count(*) from pg_timezone_names() where name = ?"
    return bool(duckdb.execute(asked, [name]).fetchall()[0][0])


def _shipped() -> str:
    names = sorted(file.name for file in (Path(__file__).parents[1] / "mappings").glob("*.yml"))
    return f"Begin with one that ships in orchestration/mappings: {', '.join(names)}."
