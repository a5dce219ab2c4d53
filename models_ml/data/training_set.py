"""A training set: the folder of Parquet files that is all this package ever reads.

`docs/reference/formats.md` describes the folder. Nothing here knows where the
events came from, nor what a token is.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models_ml.typed_json import LENIENT, JsonTypeError, decode

PLACE_SCHEMA = pa.schema(
    {
        "place_id": pa.string(),
        "category_codes": pa.list_(pa.string()),
        "district_code": pa.string(),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
        "event_count": pa.int64(),
        "current_category_codes": pa.list_(pa.string()),
        "current_district_code": pa.string(),
    }
)
HISTORY_LISTS = ("place_ids", "event_kinds", "event_ats", "event_ratings")


FORMAT = 1


class TrainingSetError(ValueError):
    """The folder is no training set that this package can read."""


@dataclass(frozen=True)
class Manifest:
    """What ``manifest.json`` says of a training set; whoever wrote it by hand may leave out more.

    ``cut_at`` and ``as_of`` are moments in ISO 8601; the last tenth of the events begins with the
    cut. ``events_left_out`` were known and are in no history.
    """

    format: int
    cut_at: str
    is_time_synthetic: bool
    hash: str
    feature_services: list[str] = field(default_factory=list, metadata=LENIENT)
    users: int = field(default=0, metadata=LENIENT)
    places: int = field(default=0, metadata=LENIENT)
    events: int = field(default=0, metadata=LENIENT)
    events_left_out: int = field(default=0, metadata=LENIENT)
    as_of: str = field(default="", metadata=LENIENT)


@dataclass(frozen=True)
class TrainingSetFolder:
    """Where the files of a training set lie."""

    path: Path

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def histories(self) -> Path:
        return self.path / "histories.parquet"

    @property
    def places(self) -> Path:
        return self.path / "places.parquet"

    def read_manifest(self) -> Manifest:
        """Read what the set is.

        Raises:
            TrainingSetError: there is none, or one of another format.
        """
        path = self.manifest
        if not path.exists():
            raise TrainingSetError(
                f"{path}: no such file. A training set is a folder with manifest.json, "
                "histories.parquet and places.parquet: tastemate train --export FOLDER writes one."
            )
        manifest = json.loads(path.read_text())
        if manifest.get("format") != FORMAT:
            raise TrainingSetError(
                f"{path}: format is {manifest.get('format')!r}; this version reads format {FORMAT}."
            )
        for name, kind in (("is_time_synthetic", bool), ("hash", str)):
            if name in manifest:
                manifest[name] = kind(manifest[name])
        try:
            return decode(Manifest, manifest, str(path))
        except JsonTypeError as error:
            raise TrainingSetError(f"{error} Export the set again.") from error


@dataclass(frozen=True)
class PlaceTable:
    """Places in a fixed order, and what is known of each.

    ``category_codes`` and ``district_codes`` are what a model learns from: as known at the cut.
    ``current_...`` is what to show and to filter by; the same, where no more is told.
    """

    place_ids: list[str]
    category_codes: list[list[str]]
    district_codes: list[str]
    latitudes: NDArray[np.float64]
    longitudes: NDArray[np.float64]
    event_counts: NDArray[np.int64]
    current_category_codes: list[list[str]] = field(default_factory=list)
    current_district_codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take what was learned for what is known now, where no more is told."""
        if len(self.current_category_codes) != len(self.place_ids):
            object.__setattr__(self, "current_category_codes", self.category_codes)
            object.__setattr__(self, "current_district_codes", self.district_codes)

    def __len__(self) -> int:
        return len(self.place_ids)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each place id stands."""
        return {place_id: position for position, place_id in enumerate(self.place_ids)}

    @classmethod
    def read(cls, path: Path) -> "PlaceTable":
        """Read a ``places.parquet``, with or without event counts."""
        table = pq.read_table(path)
        counts = (
            table["event_count"].to_numpy()
            if "event_count" in table.column_names
            else np.zeros(len(table), dtype=np.int64)
        )
        current = "current_" if "current_category_codes" in table.column_names else ""
        return cls(
            place_ids=table["place_id"].to_pylist(),
            category_codes=_lists(table["category_codes"]),
            district_codes=_texts(table["district_code"]),
            current_category_codes=_lists(table[f"{current}category_codes"]),
            current_district_codes=_texts(table[f"{current}district_code"]),
            latitudes=table["latitude"].to_numpy().astype(np.float64),
            longitudes=table["longitude"].to_numpy().astype(np.float64),
            event_counts=counts.astype(np.int64),
        )

    def write(self, path: Path) -> None:
        """Write the table so that equal tables are equal files."""
        columns = {
            "place_id": self.place_ids,
            "category_codes": self.category_codes,
            "district_code": self.district_codes,
            "latitude": pa.array(self.latitudes, from_pandas=True),
            "longitude": pa.array(self.longitudes, from_pandas=True),
            "event_count": self.event_counts,
            "current_category_codes": self.current_category_codes,
            "current_district_code": self.current_district_codes,
        }
        pq.write_table(pa.table(columns, schema=PLACE_SCHEMA), path)

    def take(self, chosen: NDArray[np.int64], event_counts: NDArray[np.int64]) -> "PlaceTable":
        """Keep the *chosen* rows, in that order, with new counts."""
        return PlaceTable(
            place_ids=[self.place_ids[row] for row in chosen],
            category_codes=[self.category_codes[row] for row in chosen],
            district_codes=[self.district_codes[row] for row in chosen],
            latitudes=self.latitudes[chosen],
            longitudes=self.longitudes[chosen],
            event_counts=event_counts,
            current_category_codes=[self.current_category_codes[row] for row in chosen],
            current_district_codes=[self.current_district_codes[row] for row in chosen],
        )


def _lists(column: pa.ChunkedArray) -> list[list[str]]:
    return [list(codes or ()) for codes in column.to_pylist()]


def _texts(column: pa.ChunkedArray) -> list[str]:
    return [code or "" for code in column.to_pylist()]


@dataclass(frozen=True)
class TrainingSet:
    """Whole histories, oldest event first, one user after the other.

    Events of user *u* are ``offsets[u]:offsets[u + 1]`` of the flat arrays.
    ``places`` holds rows of ``catalogue``, ``kinds`` positions in ``kind_names``.
    """

    user_ids: list[str]
    offsets: NDArray[np.int64]
    places: NDArray[np.int64]
    kinds: NDArray[np.int64]
    kind_names: list[str]
    ats: NDArray[np.int64]
    ratings: NDArray[np.float64]
    catalogue: PlaceTable
    cut_at: int
    is_time_synthetic: bool
    hash: str

    @cached_property
    def event_users(self) -> NDArray[np.int64]:
        """The row of the user of each event."""
        return np.repeat(np.arange(len(self.user_ids)), np.diff(self.offsets))


def read_training_set(path: Path) -> TrainingSet:
    """Read the folder at *path*; say what is missing if it is not a training set."""
    folder = TrainingSetFolder(path)
    manifest = folder.read_manifest()
    for file in (folder.histories, folder.places):
        if not file.exists():
            raise TrainingSetError(
                f"{path}: {file.name} is missing. Export it again: tastemate train --export {path}"
            )
    histories = pq.read_table(
        folder.histories, columns=["user_id", *HISTORY_LISTS]
    ).combine_chunks()
    lists = {name: _list_column(histories, name) for name in HISTORY_LISTS}
    offsets = lists["place_ids"][0]
    for name, (own_offsets, _) in lists.items():
        if not np.array_equal(own_offsets, offsets):
            raise TrainingSetError(
                f"{folder.histories}: {name} and place_ids differ in length. "
                "The lists of a user are parallel; export the set again."
            )
    catalogue = PlaceTable.read(folder.places)
    places, catalogue = _rows_of(lists["place_ids"][1], catalogue)
    kinds = lists["event_kinds"][1].dictionary_encode()
    return TrainingSet(
        user_ids=histories["user_id"].to_pylist(),
        offsets=offsets,
        places=places,
        kinds=kinds.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        kind_names=kinds.dictionary.to_pylist(),
        ats=lists["event_ats"][1].to_numpy(zero_copy_only=False).astype(np.int64),
        ratings=lists["event_ratings"][1].to_numpy(zero_copy_only=False).astype(np.float64),
        catalogue=catalogue,
        cut_at=_microseconds(manifest.cut_at),
        is_time_synthetic=manifest.is_time_synthetic,
        hash=manifest.hash,
    )


def read_event_ids(path: Path) -> pa.Array:
    """Read the ids of the events of the set at *path*, in the order of the flat arrays."""
    histories = TrainingSetFolder(path).histories
    table = pq.read_table(histories, columns=["event_ids"]).combine_chunks()
    return _list_column(table, "event_ids")[1]


def _list_column(table: pa.Table, name: str) -> tuple[NDArray[np.int64], pa.Array]:
    """Return offsets and flat values of a list column, however it was chunked."""
    column = table[name]
    lists = column.chunk(0) if column.num_chunks else pa.array([], type=column.type)
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), out=offsets[1:])
    return offsets, lists.flatten()


def _rows_of(values: pa.Array, catalogue: PlaceTable) -> tuple[NDArray[np.int64], PlaceTable]:
    """Turn place ids into catalogue rows; places the catalogue lacks are added bare."""
    encoded = values.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    absent = [name for name in names if name not in catalogue.positions]
    if absent:
        nowhere = np.full(len(absent), np.nan)
        catalogue = PlaceTable(
            place_ids=catalogue.place_ids + absent,
            category_codes=catalogue.category_codes + [[] for _ in absent],
            district_codes=catalogue.district_codes + [""] * len(absent),
            latitudes=np.concatenate([catalogue.latitudes, nowhere]),
            longitudes=np.concatenate([catalogue.longitudes, nowhere]),
            event_counts=np.zeros(len(catalogue) + len(absent), dtype=np.int64),
            current_category_codes=catalogue.current_category_codes + [[] for _ in absent],
            current_district_codes=catalogue.current_district_codes + [""] * len(absent),
        )
    rows = np.array([catalogue.positions[name] for name in names], dtype=np.int64)
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    return rows[indices] if len(indices) else np.zeros(0, dtype=np.int64), catalogue


def _microseconds(moment: str) -> int:
    parsed = datetime.fromisoformat(moment)
    return int(parsed.timestamp()) * 1_000_000 + parsed.microsecond
