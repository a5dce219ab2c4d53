"""Histories read from Parquet as flat columns: no Python object a person, none an event."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS, HistoryColumns

_PREFIX = "event_"
_COLUMNS = ("place_ids", "event_kinds", "event_ats")


class HistoriesError(ValueError):
    """The file holds no histories."""


@dataclass(frozen=True)
class HistoriesFile:
    """A training set's ``histories.parquet``, or the feature ``user_favor``."""

    path: Path

    def __post_init__(self) -> None:
        """Say what the file lacks, if it holds no histories."""
        there = pq.read_schema(self.path).names
        missing = [name for name in ("user_id", *self._names(there)) if name not in there]
        if missing:
            raise HistoriesError(
                f"{self.path}: has no column {', '.join(missing)}. Give a training set's "
                "histories.parquet or the feature user_favor."
            )

    @property
    def people(self) -> int:
        """How many rows the file has."""
        return int(pq.read_metadata(self.path).num_rows)

    def read(self, at_once: int) -> Iterator[tuple[pa.Array, HistoryColumns]]:
        """Yield user ids and histories, *at_once* people at a time."""
        names = self._names(pq.read_schema(self.path).names)
        # Text stays as it is stored: each name once, and numbers for it.
        stored = [f"{name}.list.element" for name in names[:2]]
        file = pq.ParquetFile(self.path, read_dictionary=stored)
        for rows in file.iter_batches(at_once, columns=["user_id", *names]):
            yield rows["user_id"], self._columns(rows, names)

    @staticmethod
    def _names(there: list[str]) -> list[str]:
        # The feature names its places as it names all else of an event.
        return ["place_ids" if "place_ids" in there else _PREFIX + "place_ids", *_COLUMNS[1:]]

    def _columns(self, rows: pa.RecordBatch, names: list[str]) -> HistoryColumns:
        lists = [rows[name] for name in names]
        lengths, *others = (
            each.value_lengths().fill_null(0).to_numpy(zero_copy_only=False) for each in lists
        )
        for name, other in zip(names[1:], others, strict=True):
            if not np.array_equal(lengths, other):
                raise HistoriesError(
                    f"{self.path}: {name} and {names[0]} differ in length. The lists of a person "
                    "are parallel; export the file again."
                )
        kept, offsets = _newest(lengths.astype(np.int64))
        places, kinds, ats = (each.flatten() for each in lists)
        return HistoryColumns(
            *_coded(places, kept),
            *_coded(kinds, kept),
            ats=ats.to_numpy(zero_copy_only=False).astype(np.int64)[kept],
            offsets=offsets,
        )


def _newest(lengths: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Say which of all events are read, and where each person's begin among them."""
    ends = np.cumsum(lengths)
    kept = np.arange(lengths.sum()) >= np.repeat(ends - MAX_EVENTS, lengths)
    return kept, np.concatenate([[0], np.cumsum(np.minimum(lengths, MAX_EVENTS))])


def _coded(values: pa.Array, kept: NDArray[np.bool_]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names among *values*, and the number of each value that is *kept*."""
    coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    indices = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return coded.dictionary.to_pylist(), indices[kept]
