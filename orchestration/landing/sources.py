"""Which files a source consists of, and what landing must know of each."""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.landing.documents import Reading
from orchestration.landing.errors import MappingError, NothingToLandError, UnreadableFileError
from orchestration.landing.mapping import SAMPLE, Format, Mapping
from orchestration.landing.readers.batches import Batch
from orchestration.landing.readers.csv_file import read_header, read_records
from orchestration.landing.readers.json_lines import read_lines
from orchestration.landing.readers.parquet_file import open_parquet, read_rows
from orchestration.landing.readers.unpacking import Unpacked

Source = Literal["sample"] | Mapping
_SAMPLE_FILE = re.compile(r"(places|likes|reviews)([-_.].*)?\.jsonl(\.gz)?")
_SAMPLE_PLACES = Reading(
    latitude=("location", "lat"), longitude=("location", "lng"), district=("district_code",)
)
_SAMPLE_EVENTS = Reading(user=("user_id",))


@dataclass(frozen=True)
class Arrival:
    """A file that is to land."""

    path: Path
    kind: str
    format: Format
    reading: Reading

    @property
    def day(self) -> date:
        """The day, UTC, on which it arrived: when the file was last written."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC).date()

    def batches(self, connection: duckdb.DuckDBPyConnection, unpacked: Unpacked) -> Iterator[Batch]:
        """Read the file in bounded memory."""
        match self.format:
            case "parquet":
                return read_rows(self.path, connection)
            case "csv":
                return read_records(unpacked)
            case "jsonl":
                return read_lines(unpacked)


def name_of(source: Source) -> str:
    """Give the name under which a source's lines are kept."""
    return source.source if isinstance(source, Mapping) else source


def arrivals(source: Source, path: Path) -> list[Arrival]:
    """List the files of *source* at *path*, places first; say so before landing if one is unfit."""
    if not path.exists():
        raise NothingToLandError(
            f"{path}: there is no such file or folder. Where it lies on a disk of its own, look "
            "whether that is mounted."
        )
    if isinstance(source, Mapping):
        return _mapped(source, path)
    return _sample(path)


def _check_file(path: Path) -> None:
    """Refuse what is no file: a pipe would never end, and a link may lead to nothing.

    Raises:
        NothingToLandError: it leads to nothing.
        UnreadableFileError: it is a folder, a pipe or a device.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise NothingToLandError(
            f"{path}: what it is a link to is not there. Mount or mend that, or remove the link."
        ) from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise UnreadableFileError(
            f"{path}: is {what}, and a file is to be here. Put a file in its place, or give "
            "another --path."
        )


def _sample(path: Path) -> list[Arrival]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    matches = [(match, file) for file in files if (match := _SAMPLE_FILE.fullmatch(file.name))]
    if not matches:
        raise NothingToLandError(
            f"{path}: no file of the source '{SAMPLE}' is here. Its names are places.jsonl, "
            "likes.jsonl and reviews.jsonl, with parts such as likes-2.jsonl.gz."
        )
    for _, file in matches:
        _check_file(file)
    return [
        Arrival(
            path=file,
            kind=match[1],
            format="jsonl",
            reading=reading_of(SAMPLE, match[1]),
        )
        for match, file in sorted(matches, key=lambda found: (found[0][1] != "places", found[1]))
    ]


def _mapped(mapping: Mapping, path: Path) -> list[Arrival]:
    files = []
    if mapping.places and path.is_dir():
        places = mapping.places
        reading = reading_of(mapping, "places")
        files.append(Arrival(path / places.file, "places", mapping.format, reading))
        _check_columns(mapping, files[-1], places.columns())
    events = path / mapping.events.file if path.is_dir() else path
    files.append(Arrival(events, "events", mapping.format, reading_of(mapping, "events")))
    _check_columns(mapping, files[-1], mapping.events.columns())
    return files


def reading_of(source: Source, kind: str) -> Reading:
    """Tell what landing itself reads of a document; all else is read from the archive."""
    if not isinstance(source, Mapping):
        return _SAMPLE_PLACES if kind == "places" else _SAMPLE_EVENTS
    if kind == "events":
        return Reading(user=(source.events.user,))
    places = source.places
    if places is None:
        return Reading()
    return Reading(
        latitude=(places.latitude,) if places.latitude else None,
        longitude=(places.longitude,) if places.longitude else None,
        district=(places.district,) if places.district else None,
    )


def _check_columns(mapping: Mapping, arrival: Arrival, wanted: list[str]) -> None:
    """Compare the mapping with the file's own columns; JSON lines have none to compare with."""
    if not (arrival.path.exists() or arrival.path.is_symlink()):
        raise NothingToLandError(
            f"{arrival.path}: there is no such file. The mapping of '{mapping.source}' names it "
            f"in {arrival.kind}.file; change that, or --path."
        )
    _check_file(arrival.path)
    there = _columns_of(arrival)
    if there is None:
        return
    missing = [column for column in wanted if column not in there]
    if missing:
        raise MappingError(
            f"{arrival.path}: the columns {missing} that the mapping of '{mapping.source}' names "
            f"under '{arrival.kind}' are not in the file. It has {there}."
        )


def _columns_of(arrival: Arrival) -> list[str] | None:
    match arrival.format:
        case "parquet":
            return list(open_parquet(arrival.path).schema_arrow.names)
        case "csv":
            return read_header(Unpacked(arrival.path))
        case "jsonl":
            return None
