"""From feature rows to what the model reads: the same step for a request, the index and the batch.

Rows come from the online store one request at a time, or from Parquet for everybody.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.feature_types import Row
from feature_repo.reader import OnlineReader, open_readers
from models_ml.data.tokens import History
from serving.home import Home, now
from serving.release import Release

PlaceFacts = tuple[Sequence[str], str]

# The feature services that a release reads.
USERS, PLACES = "tastemate_v1", "tastemate_places_v1"
BATCH = 1024
HISTORY_COLUMNS = ("event_place_ids", "event_kinds", "event_ats", "event_ratings")


@dataclass(frozen=True)
class Features:
    """What is known of a user."""

    history: History
    known_at: datetime
    is_discoverable: bool


class OnlineFeatures:
    """Reads users, and the places that the release does not know, from the online store."""

    def __init__(
        self, users: OnlineReader, places: OnlineReader, known_places: frozenset[str]
    ) -> None:
        self._users = users
        self._places = places
        self._known_places = known_places

    def of_asker(self, user_id: str) -> Features | None:
        """Read everything that the model can use of one user; None if nothing is known.

        Raises:
            OnlineStoreUnavailable: the store does not answer, or was emptied.
        """
        row = self._users.read([user_id], now()).get(user_id)
        if row is None:
            self._users.refuse_if_emptied()
        if row is None or row["event_place_ids"] is None:  # other views may know of the user
            return None
        unknown = sorted(set(cast("list[str]", row["event_place_ids"])) - self._known_places)
        facts = self._places.read(unknown, now())
        return features_of(row, {place: _facts(told) for place, told in facts.items()})

    def of_many(self, user_ids: Sequence[str]) -> dict[str, Features]:
        """Read several users at once, those of whom something is known."""
        rows = self._users.read(user_ids, now())
        return {
            user_id: features_of(row, {})
            for user_id, row in rows.items()
            if row["event_place_ids"] is not None
        }


def open_features(release: Release, home: Home, known_places: Collection[str]) -> OnlineFeatures:
    """Open the online store of *home* as the frozen registry of *release* sees it."""
    users, places = open_readers(release.registry, home.root, (USERS, PLACES))
    return OnlineFeatures(users, places, frozenset(known_places))


def features_of(row: Row, places: Mapping[str, PlaceFacts]) -> Features:
    """Turn a row of `user_favor` into features; *places* tells of places no release knows."""
    # What the columns hold is what the model's contract says, which apply and publishing keep.
    return Features(
        history=History(
            cast("list[str]", row["event_place_ids"]),
            cast("list[str]", row["event_kinds"]),
            cast("list[int]", row["event_ats"]),
            cast("list[float]", row["event_ratings"]),
            unknown_places=places,
        ),
        known_at=cast("datetime", row["known_at"]),
        is_discoverable=bool(row["is_discoverable"]),
    )


def discoverable(
    user_favor: Path, place: Path, known_places: Collection[str], as_of: datetime
) -> Iterator[tuple[str, datetime, History]]:
    """Give everybody who agreed to be shown, as `serving.index.build` takes them.

    *user_favor* and *place* are the feature models' Parquet files; of each user counts
    the newest row known at *as_of*. Memory holds the users' ids and one batch of rows.
    """
    for row, facts in current_rows(user_favor, place, known_places, as_of):
        if row["is_discoverable"]:
            features = features_of(row, facts)
            yield str(row["user_id"]), features.known_at, features.history


def current_rows(
    user_favor: Path, place: Path, known_places: Collection[str], as_of: datetime
) -> Iterator[tuple[Row, Mapping[str, PlaceFacts]]]:
    """Give the newest row of each user known at *as_of*, with its places that no release knows."""
    facts = {
        str(row["place_id"]): _facts(row)
        for row in _newest_rows(place, "place_id", ["category_codes", "district_code"], as_of)
        if row["place_id"] not in known_places
    }
    columns = ["known_at", *HISTORY_COLUMNS, "is_discoverable"]
    for row in _newest_rows(user_favor, "user_id", columns, as_of):
        unknown = set(cast("list[str]", row["event_place_ids"])) & facts.keys()
        yield row, {place_id: facts[place_id] for place_id in unknown}


def _newest_rows(path: Path, key: str, columns: list[str], as_of: datetime) -> Iterator[Row]:
    """Give the newest row of each key known at *as_of*, in the file's order."""
    wanted = _positions_of_newest(path, key, as_of)
    start = 0
    for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=[key, *columns]):
        stop = start + batch.num_rows
        rows = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, stop)] - start
        yield from batch.take(pa.array(rows)).to_pylist()
        start = stop


def _positions_of_newest(path: Path, key: str, as_of: datetime) -> np.ndarray:
    table = pq.read_table(path, columns=[key, "known_at"])
    table = table.append_column("position", pa.array(np.arange(len(table))))
    moment = pa.scalar(as_of, type=table.schema.field("known_at").type)
    table = table.filter(pc.less_equal(table["known_at"], moment))
    newest = (
        table.sort_by("known_at").group_by(key, use_threads=False).aggregate([("position", "last")])
    )
    return np.sort(newest["position_last"].to_numpy())


def _facts(row: Row) -> PlaceFacts:
    return cast("list[str]", row["category_codes"] or []), cast("str", row["district_code"] or "")
