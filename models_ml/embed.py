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

from models_ml.recommender import ModelFolderError, Recommender, load
from models_ml.tokens import MAX_EVENTS, History

_ROWS_AT_ONCE = 4096
_PREFIX = "event_"
_COLUMNS = ("place_ids", "event_kinds", "event_ats", "event_ratings")


class HistoriesError(ValueError):
    """The file holds no histories."""


def embed_people(
    recommender: Recommender, histories: Path
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Yield user ids and their vectors, some thousand people at a time."""
    file = pq.ParquetFile(histories)
    there = file.schema_arrow.names
    # The feature names its places as it names all else of an event.
    places = "place_ids" if "place_ids" in there else _PREFIX + "place_ids"
    columns = [places, *_COLUMNS[1:]]
    missing = [name for name in ("user_id", *columns) if name not in there]
    if missing:
        raise HistoriesError(
            f"{histories}: has no column {', '.join(missing)}. Give a training set's "
            "histories.parquet or the feature user_favor."
        )
    for rows in file.iter_batches(_ROWS_AT_ONCE, columns=["user_id", *columns]):
        yield rows["user_id"].to_pylist(), recommender.embed(_histories(rows, columns))


def embed(histories: Path, model: Path, out: Path) -> int:
    """Write users and vectors of all *histories* under *out*; return how many people they are."""
    recommender = load(model)
    users: list[str] = []
    parts = [np.zeros((0, recommender.dimensions), dtype=np.float32)]
    for names, vectors in embed_people(recommender, histories):
        users += names
        parts.append(vectors)
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"user_id": pa.array(users, pa.string())}), out / "users.parquet")
    np.save(out / "vectors.npy", np.concatenate(parts))
    return len(users)


def _histories(rows: pa.RecordBatch, columns: list[str]) -> list[History]:
    lists = [rows[name].to_pylist() for name in columns]
    return [
        History(*(values[-MAX_EVENTS:] for values in person)) for person in zip(*lists, strict=True)
    ]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models_ml.embed", description=embed.__doc__)
    parser.add_argument("--histories", type=Path, required=True, help="a Parquet file")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    arguments = parser.parse_args()
    try:
        people = embed(arguments.histories, arguments.model, arguments.out)
    except (HistoriesError, ModelFolderError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    print(f"{arguments.out}: {people} people")  # noqa: T201 - the command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
