"""Embed people: from a Parquet file of histories to one vector a person.

python -m models_ml.embed --histories FILE --model FOLDER --out FOLDER

The file is a training set's ``histories.parquet`` or the feature ``user_favor``.
Written are ``users.parquet`` (``user_id``) and, row for row, ``vectors.npy``.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models_ml.data.history_files import HistoriesError, HistoriesFile
from models_ml.loading import load
from models_ml.model_folder import ModelFolderError
from models_ml.recommender import Recommender
from models_ml.user_vectors import TasteError

_ROWS_AT_ONCE = 4096


def embed_people(
    recommender: Recommender, histories: Path
) -> Iterator[tuple[pa.Array, NDArray[np.float32]]]:
    """Yield user ids and their vectors, some thousand people at a time."""
    for users, columns in HistoriesFile(histories).read(_ROWS_AT_ONCE):
        yield users, recommender.embed(columns)


def embed(histories: Path, model: Path, out: Path) -> int:
    """Write users and vectors of all *histories* under *out*; return how many people they are.

    Memory is bounded by a row group of the file, however many people there are.
    """
    recommender = load(model)
    people = HistoriesFile(histories).people
    out.mkdir(parents=True, exist_ok=True)
    vectors = _vectors_file(out / "vectors.npy", (people, recommender.dimensions))
    begin = 0
    schema = pa.schema({"user_id": pa.string()})
    with pq.ParquetWriter(out / "users.parquet", schema) as writer:
        for users, part in embed_people(recommender, histories):
            writer.write_table(pa.table({"user_id": users.cast(pa.string())}, schema=schema))
            vectors[begin : begin + len(part)] = part
            begin += len(part)
    return people


def _vectors_file(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Make a file of zeros that is written to part by part."""
    if 0 in shape:
        # No file can be mapped to no memory.
        np.save(path, np.zeros(shape, dtype=np.float32))
        return np.zeros(shape, dtype=np.float32)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models_ml.embed", description=embed.__doc__)
    parser.add_argument("--histories", type=Path, required=True, help="a Parquet file")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    arguments = parser.parse_args()
    try:
        people = embed(arguments.histories, arguments.model, arguments.out)
    except (HistoriesError, ModelFolderError, TasteError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    print(f"{arguments.out}: {people} people")  # noqa: T201 - the command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
