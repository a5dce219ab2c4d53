"""The index: the vectors of all users who agreed to be shown, for one release.

The search is exact, unless there are very many people (`serving.ann`). The
vectors are read from the file as they are needed, so that several processes share one
copy and loading takes no time. Who is near to many is
ranked lower, see `serving.hubness`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.data.tokens import History
from models_ml.typed_json import ABSENT, JsonTypeError, json_text, read_json
from serving import ann
from serving.ann import Approximate
from serving.files import draft_folder, settle
from serving.hubness import nearness, usual_likeness
from serving.release import open_release

BATCH = 256
USERS = "users.parquet"
VECTORS = "vectors.npy"
USUAL = "usual.npy"
META = "index.json"
SCHEMA = pa.schema([("user_id", pa.string()), ("known_at", pa.timestamp("us", tz="UTC"))])


@dataclass(frozen=True)
class _Made:
    """What ``index.json`` of any version says: of which release, and as of when."""

    release_id: str
    as_of: str


@dataclass(frozen=True)
class IndexMeta:
    """What ``index.json`` says.

    ``approximate_recall_at_10`` is that of an approximate search which found too few, so that the
    search stayed exact.
    """

    index_id: str
    release_id: str
    as_of: str
    users: int
    dimensions: int
    search: Literal["exact", "approximate"]
    recall_at_10: float
    approximate_recall_at_10: float | None = field(default=None, metadata=ABSENT)


_M = TypeVar("_M")
Entry = tuple[str, datetime, History]
Vectors = npt.NDArray[np.float32]


class IndexFaultError(Exception):
    """An index is missing, damaged or made for another release."""


@dataclass(frozen=True)
class Index:
    """The users of an index, their vectors (N, D) and how near they usually are (N,).

    ``recall`` is the share of a person's ten nearest that a search finds. ``missed_recall`` is that
    of an approximate search which found too few, so that the search stayed exact.
    """

    index_id: str
    release_id: str
    as_of: str
    folder: Path
    users: pa.StringArray
    vectors: Vectors
    usual: Vectors
    recall: float = 1.0
    missed_recall: float | None = None
    approximate: Approximate | None = None

    def __len__(self) -> int:
        return len(self.users)

    def search(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """Find the *count* users nearest to *vector* (D,), nearest first, with their nearness."""
        found = self.approximate and self.approximate.search(vector, min(count, len(self)))
        if found:
            pairs = zip(*found, strict=True)
            return [(self.users[int(row)].as_py(), float(score)) for score, row in pairs]
        return self.search_exactly(vector, count)

    def search_exactly(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """Find the same by looking at everybody."""
        scores = nearness(self.vectors @ vector, self.usual)
        rows = np.argpartition(-scores, count)[:count] if count < len(self) else range(len(self))
        # By row where equal, so that going further down the list shows nobody twice.
        nearest = sorted((-float(scores[row]), int(row)) for row in rows)
        return [(self.users[row].as_py(), -score) for score, row in nearest]


def build(
    release_dir: Path,
    entries: Iterable[Entry],
    out_dir: Path,
    as_of: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> Index:
    """Embed *entries* with the release and lay their index into *out_dir* under its content's name.

    The entries are the users who may be shown: user, when the history was last
    changed, history; in any order, each user once. *progress* is told how many users
    are done. Memory holds one batch of histories at a time, and the users' ids.
    """
    from serving.onnx_model import open_recommender

    release = open_release(release_dir)
    recommender = open_recommender(release_dir)
    with draft_folder(out_dir) as draft:
        user_ids: list[str] = []
        known_ats: list[datetime] = []
        unordered = draft / "unordered"
        with unordered.open("wb") as raw:
            for batch in _batches(entries):
                vectors = np.ascontiguousarray(
                    recommender.embed([history for _, _, history in batch]), dtype=np.float32
                )
                raw.write(vectors.tobytes())
                user_ids += [user_id for user_id, _, _ in batch]
                known_ats += [known_at for _, known_at, _ in batch]
                progress(len(user_ids))
        order = np.argsort(np.array(user_ids, dtype=object), kind="stable")
        users = pa.table([user_ids, known_ats], schema=SCHEMA).take(pa.array(order))
        shape = (len(order), recommender.dimensions)
        nobody = np.empty((0, recommender.dimensions), np.float32)
        vectors = np.memmap(unordered, "<f4", "r", shape=shape) if len(order) else nobody
        unordered.unlink()
        folder = _lay(draft, release.release_id, as_of.isoformat(), users, vectors, order)
    return open_index(folder)


def without(folder: Path, user_id: str) -> Index:
    """Lay beside the index in *folder* the same one without *user_id*; the old one stays."""
    index = open_index(folder)
    users = pq.read_table(folder / USERS)
    kept = pc.indices_nonzero(pc.not_equal(users["user_id"], user_id))
    with draft_folder(folder.parent) as draft:
        laid = _lay(
            draft, index.release_id, index.as_of, users.take(kept), index.vectors, kept.to_numpy()
        )
    return open_index(laid)


def _lay(  # noqa: PLR0913, PLR0917 -- all that an index consists of
    draft: Path,
    release_id: str,
    as_of: str,
    users: pa.Table,
    vectors: Vectors,
    order: npt.NDArray[Any],
) -> Path:
    """Fill *draft* with *users* and their rows of *vectors*; give it its content's name."""
    pq.write_table(users, draft / USERS)
    digest = hashlib.sha256(release_id.encode())
    for user_id, known_at in zip(*(column.to_pylist() for column in users), strict=True):
        digest.update(f"\n{user_id} {known_at.isoformat()}".encode())
    _write_vectors(vectors, order, draft / VECTORS, digest.update)
    laid = np.load(draft / VECTORS, mmap_mode="r")
    usual = usual_likeness(laid)
    np.save(draft / USUAL, usual)
    index_id = digest.hexdigest()[:16]
    recall = _approximate_recall(laid, usual, draft / ann.FILE)
    is_enough = recall is not None and recall >= ann.LEAST_RECALL
    meta = IndexMeta(
        index_id=index_id,
        release_id=release_id,
        as_of=as_of,
        users=len(users),
        dimensions=vectors.shape[1],
        search="approximate" if is_enough else "exact",
        recall_at_10=recall if is_enough and recall is not None else 1.0,
        approximate_recall_at_10=None if is_enough else recall,
    )
    (draft / META).write_text(json_text(meta))
    settle(draft, draft.parent / index_id)
    return draft.parent / index_id


def _approximate_recall(vectors: Vectors, usual: Vectors, target: Path) -> float | None:
    """Prepare an approximate search where there are many; tell what share it finds of the ten.

    Without enough of them what was prepared is removed. None where the search is exact anyway.
    """
    if len(vectors) <= ann.MOST_EXACT:
        return None
    recall = ann.build(vectors, usual, target)
    if recall < ann.LEAST_RECALL:
        target.unlink()
    return recall


def open_index(folder: Path) -> Index:
    """Open the index in *folder*; its vectors stay on the disk until a search reads them."""
    missing = [name for name in (META, USERS, VECTORS, USUAL) if not (folder / name).is_file()]
    if missing:
        raise IndexFaultError(
            f"{folder}: no index, it lacks {', '.join(missing)}. Make one: tastemate run"
        )
    meta = _meta(folder, IndexMeta)
    # Not pq.read_table, which loads what reads folders of files, and pandas with it.
    users = pq.ParquetFile(folder / USERS).read(columns=["user_id"]).column(0).combine_chunks()
    is_approximate = meta.search == "approximate"
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    if vectors.shape != (len(users), meta.dimensions):
        raise IndexFaultError(
            f"{folder / VECTORS}: holds {vectors.shape[0]} vectors for {len(users)} users. "
            "Remove the folder and make the index again: tastemate run"
        )
    return Index(
        index_id=meta.index_id,
        release_id=meta.release_id,
        as_of=meta.as_of,
        folder=folder,
        users=users,
        vectors=vectors,
        usual=np.load(folder / USUAL, mmap_mode="r"),
        recall=meta.recall_at_10,
        missed_recall=meta.approximate_recall_at_10,
        approximate=Approximate(folder / ann.FILE) if is_approximate else None,
    )


def newest(indexes_dir: Path, release_id: str) -> Index:
    """Open the index of *release_id* with the latest as-of."""
    index = newest_or_none(indexes_dir, release_id)
    if index is None:
        raise IndexFaultError(
            f"{indexes_dir}: no index for release {release_id}. Make one: tastemate run"
        )
    return index


def newest_or_none(indexes_dir: Path, release_id: str) -> Index | None:
    """Open the index of *release_id* with the latest as-of, if it has any."""
    indexes = []
    for meta_file in indexes_dir.glob(f"[!.]*/{META}"):
        made = _meta(meta_file.parent, _Made)
        if made.release_id == release_id:
            indexes.append((datetime.fromisoformat(made.as_of), meta_file.parent))
    return open_index(max(indexes)[1]) if indexes else None


def _meta(folder: Path, kind: type[_M]) -> _M:
    try:
        return read_json(folder / META, kind)
    except JsonTypeError as error:
        raise IndexFaultError(
            f"{error} Remove the folder and make the index again: tastemate run"
        ) from error


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _write_vectors(
    vectors: Vectors, order: npt.NDArray[Any], target: Path, digest: Callable[[bytes], None]
) -> None:
    """Write the rows of *vectors* that *order* names, in that order, a chunk at a time."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (len(order), vectors.shape[1])}
    with target.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(order), BATCH):
            chunk = vectors[order[start : start + BATCH]].tobytes()
            digest(chunk)
            file.write(chunk)
