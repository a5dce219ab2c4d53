"""How far neighbours share the planted taste of a sample city, against chance.

The city's generator knows every person's taste. For each person the ten nearest by some
vector are looked at: how often do they have the same main taste, over how often anybody has?
A lift of 1 is chance. Taste and district go together in the city, as they do in life; the lift
for districts tells how far a vector finds neighbours by where people live instead.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from serving.home import Home

NEIGHBOURS = 10
DIMENSIONS = 32
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Lift:
    """How much oftener than by chance neighbours share something."""

    taste: float
    district: float


def planted_taste_lifts(home: Home, truth: Path) -> dict[str, Lift]:
    """Compare the vectors of the live index with popularity's and an SVD's, on the same people."""
    from serving import champion, index

    live = index.open_index(home.indexes / champion.read(home).index_id)
    people, tastes, districts = _truth_of(home, truth, live.users.to_pylist())
    ours = np.asarray(live.vectors)[people]
    counts = _counts(home, live.users.to_pylist())[people]
    vectors = {
        "ours": ours,
        "svd": _svd(counts),
        # Whoever goes where everybody goes is near everybody who does.
        "popularity": counts @ counts.sum(axis=0, keepdims=True).T,
    }
    near = {name: _nearest(_unit(v) if v.shape[1] > 1 else v) for name, v in vectors.items()}
    return {
        name: Lift(taste=_lift(rows, tastes), district=_lift(rows, districts))
        for name, rows in near.items()
    }


def _truth_of(
    home: Home, truth: Path, users: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Find rows of *users* that the truth knows, with their main taste and district."""
    from serving.pseudonyms import Pseudonyms

    table = pq.read_table(truth, columns=["user_id", "main_taste", "district"])
    pseudonyms = Pseudonyms(home.keys).of_many(table["user_id"].to_pylist())
    known = {
        pseudonym: (taste, district)
        for pseudonym, taste, district in zip(
            pseudonyms, table["main_taste"].to_pylist(), table["district"].to_pylist(), strict=True
        )
    }
    rows = [row for row, user in enumerate(users) if user in known]
    pairs = [known[users[row]] for row in rows]
    tastes, districts = (np.array(values, dtype=object) for values in zip(*pairs, strict=True))
    return np.array(rows), tastes, districts


def _counts(home: Home, users: list[str]) -> Floats:
    """Count how often each of *users* chose each place."""
    path = home.handed_on("marts/fct_events")
    events = pq.read_table(path, columns=["user_id", "place_id"])
    row_of = {user: row for row, user in enumerate(users)}
    places = events["place_id"].combine_chunks().dictionary_encode()
    rows = np.array([row_of.get(user, -1) for user in events["user_id"].to_pylist()])
    counts = np.zeros((len(users), len(places.dictionary)))
    known = rows >= 0
    np.add.at(counts, (rows[known], places.indices.to_numpy()[known]), 1)
    return counts


def _svd(counts: Floats) -> Floats:
    """Reduce idf-weighted, damped counts to a few dimensions, centred."""
    chosen_by = (counts > 0).sum(axis=0)
    weighted = np.log1p(counts) * np.log((1 + len(counts)) / (1 + chosen_by))
    centred = weighted - weighted.mean(axis=0)
    # The right singular vectors, by the smaller problem of places alone.
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ directions[:, -DIMENSIONS:])


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _nearest(vectors: Floats) -> npt.NDArray[np.int64]:
    """Find the rows nearest to each row, itself left out: by product, or on a line by distance."""
    is_line = vectors.shape[1] == 1
    nearness = -np.abs(vectors - vectors.T) if is_line else vectors @ vectors.T
    np.fill_diagonal(nearness, -np.inf)
    return np.argpartition(-nearness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]


def _lift(near: npt.NDArray[np.int64], labels: npt.NDArray[np.object_]) -> float:
    same = (labels[near] == labels[:, None]).mean()
    _, counts = np.unique(labels.astype(str), return_counts=True)
    by_chance = (counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1))
    return float(same / by_chance)
