"""Parquet: each row becomes a JSON document with the file's own column names."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.errors import UnreadableFileError
from orchestration.landing.readers.batches import Batch

_ROWS_AT_ONCE = 50_000


def read_rows(path: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[Batch]:
    """Yield the rows; *connection* writes them as JSON."""
    file = open_parquet(path)
    try:
        for rows in file.iter_batches(_ROWS_AT_ONCE):
            connection.register("_row_of_the_file", pa.table(rows))
            docs = connection.execute(
                "select to_json(_row_of_the_file)::varchar as doc from _row_of_the_file"
            ).to_arrow_table()
            connection.unregister("_row_of_the_file")
            doc = docs["doc"].combine_chunks()
            nothing = pa.nulls(len(doc), pa.string())
            yield Batch(doc.cast(pa.binary()), doc, nothing, pa.nulls(len(doc), pa.int64()))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(
            f"{path}: the file is damaged: {error}. Fetch it anew."
        ) from error


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file, or say that it is none."""
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(
            f"{path}: this is no Parquet file: {error}. Set 'format' in the mapping to what it is."
        ) from error
