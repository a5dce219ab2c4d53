"""Mapping files: which column of a source means what.

A new source is a new mapping file and nothing else. `docs/how-to/bring-your-own-data.md`
is the reference; what is checked here is what the page says.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestration.landing.errors import MappingError

Format = Literal["parquet", "csv", "jsonl"]
Column = Annotated[str, Field(min_length=1)]
SAMPLE: Final = "sample"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Time(_Strict):
    """The column that tells when an event happened, and how it tells it."""

    column: Column
    unit: Literal["s", "ms", "us", "iso"] = "iso"
    timezone: str = "UTC"


class Events(_Strict):
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

    @model_validator(mode="after")
    def _one_of_time_and_order(self) -> Self:
        if (self.time is None) == (self.order is None):
            raise ValueError(
                "exactly one of 'time' and 'order' must be there: 'time' names the column of the "
                "moment, 'order' the column that counts a user's events where no moment is known"
            )
        return self

    def columns(self) -> list[str]:
        """List the columns that the events file must have."""
        named = [self.user, self.place, self.order, self.rating, self.event_id]
        named += [self.discoverable, self.deleted, self.time.column if self.time else None]
        named += [] if self.kind in ("like", "review", "visit") else [self.kind]
        return [column for column in named if column]


class Places(_Strict):
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


class Mapping(_Strict):
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
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError(f"{path}: there is no such mapping file. {_shipped()}") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise MappingError(f"{path}: this is no YAML: {error}. {_shipped()}") from None
    if not isinstance(content, dict):
        raise MappingError(f"{path}: the file holds {content!r}, not named fields. {_shipped()}")
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        raise MappingError("\n".join(_sentences(path, error))) from None


def _sentences(path: Path, error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"]) or "the mapping"
        match problem["type"]:
            case "missing":
                said = "is missing; it is needed."
            case "extra_forbidden":
                said = f"is no field of a mapping (its value is {problem['input']!r}). Remove it."
            case "value_error":
                said = f": {problem['ctx']['error']}."
            case "string_pattern_mismatch":
                said = (
                    f"is {problem['input']!r}; it must be lower-case letters, digits and _, "
                    "beginning with a letter, such as my_reviews."
                )
            case _:
                said = f"is {problem['input']!r}. {problem['msg']}."
        sentences.append(f"{path}: {field}{'' if said.startswith(':') else ' '}{said}")
    return sentences


def _shipped() -> str:
    names = sorted(file.name for file in (Path(__file__).parents[1] / "mappings").glob("*.yml"))
    return f"Begin with one that ships in orchestration/mappings: {', '.join(names)}."
