"""Training sets of the public research data, for measuring the model alone.

The pipeline makes the same folders out of landed files; these skip it, so that the model can be
measured on a machine that has nothing but what models_ml requires.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import h3
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.data.training_set import FORMAT, Manifest, TrainingSetFolder
from models_ml.typed_json import json_text

MINUTE = 60_000_000
SYNTHETIC_START = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def new_york(data: Path, out: Path, people: int | None = None) -> None:
    """Check-ins with their seconds, categories and H3 districts."""
    events = _sample(pq.read_table(data / "foursquare_nyc" / "checkins.parquet"), people)
    venues = pq.read_table(data / "foursquare_nyc" / "places.parquet").to_pydict()
    write(
        out,
        users=[f"{user:05d}" for user in events["user_id"].to_pylist()],
        place_ids=events["venue_id"].to_pylist(),
        ats=np.asarray(events["ts"]) * 1_000_000,
        kind="visit",
        ratings=np.full(len(events), -1.0),
        places={
            "place_id": venues["venue_id"],
            "category_codes": [[code] if code else [] for code in venues["category"]],
            "district_code": [
                h3.latlng_to_cell(lat, lon, 7)
                for lat, lon in zip(venues["lat"], venues["lon"], strict=True)
            ],
            "latitude": venues["lat"],
            "longitude": venues["lon"],
        },
        is_time_synthetic=False,
    )


def movielens(data: Path, out: Path, people: int | None = None) -> None:
    """The very sequences of the BERT4Rec paper: an order, no times, so leave-one-out alone."""
    events = _sample(pq.read_table(data / "ml-1m" / "sequences_bert4rec.parquet"), people)
    movies = pq.read_table(data / "ml-1m" / "movies.parquet").to_pydict()
    write(
        out,
        users=[f"{user:05d}" for user in events["user_id"].to_pylist()],
        place_ids=[str(movie) for movie in events["movie_id"].to_pylist()],
        ats=SYNTHETIC_START + np.asarray(events["pos"], dtype=np.int64) * MINUTE,
        kind="review",
        ratings=np.asarray(events["rating"], dtype=np.float64),
        places={
            "place_id": [str(movie) for movie in movies["movie_id"]],
            "category_codes": [genres.split("|") for genres in movies["genres"]],
            "district_code": [""] * len(movies["movie_id"]),
            "latitude": [None] * len(movies["movie_id"]),
            "longitude": [None] * len(movies["movie_id"]),
        },
        is_time_synthetic=True,
    )


def beauty(data: Path, out: Path, people: int | None = None) -> None:
    """Amazon's reviews of beauty products as in the BERT4Rec paper; nothing is known of them."""
    events = _sample(pq.read_table(data / "amazon_beauty_bert4rec" / "sequences.parquet"), people)
    items = [str(item) for item in sorted(set(events["item_id"].to_pylist()))]
    write(
        out,
        users=[f"{user:05d}" for user in events["user_id"].to_pylist()],
        place_ids=[str(item) for item in events["item_id"].to_pylist()],
        ats=SYNTHETIC_START + np.asarray(events["pos"], dtype=np.int64) * MINUTE,
        kind="review",
        ratings=np.full(len(events), -1.0),
        places={
            "place_id": items,
            "category_codes": [[] for _ in items],
            "district_code": [""] * len(items),
            "latitude": [None] * len(items),
            "longitude": [None] * len(items),
        },
        is_time_synthetic=True,
    )


def _sample(events: pa.Table, people: int | None) -> pa.Table:
    """Keep the events of so many *people*, the same each time; without a number those of all."""
    if people is None:
        return events
    chosen = np.random.default_rng(0).choice(np.unique(events["user_id"]), people, replace=False)
    return events.filter(pc.is_in(events["user_id"], pa.array(chosen)))


def write(  # noqa: PLR0913 - a training set is these columns
    out: Path,
    *,
    users: list[str],
    place_ids: list[str],
    ats: np.ndarray,
    kind: str,
    ratings: np.ndarray,
    places: dict[str, list],
    is_time_synthetic: bool,
) -> None:
    """Write one training set folder in the format of docs/reference/formats.md."""
    folder = TrainingSetFolder(out)
    out.mkdir(parents=True, exist_ok=True)
    event_ids = np.array([f"{number:08d}" for number in range(len(users))])
    order = np.lexsort((event_ids, ats, np.array(users)))
    names, firsts = np.unique(np.array(users)[order], return_index=True)
    offsets = pa.array(np.append(firsts, len(users)), type=pa.int32())

    def lists(values: pa.Array) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, values.take(pa.array(order)))

    histories = pa.table(
        {
            "user_id": pa.array(names.tolist()),
            "place_ids": lists(pa.array(place_ids)),
            "event_kinds": lists(pa.array([kind] * len(users))),
            "event_ats": lists(pa.array(ats)),
            "event_ratings": lists(pa.array(ratings)),
            "event_ids": lists(pa.array(event_ids.tolist())),
        }
    )
    schema = pa.schema(
        {
            "place_id": pa.string(),
            "category_codes": pa.list_(pa.string()),
            "district_code": pa.string(),
            "latitude": pa.float64(),
            "longitude": pa.float64(),
        }
    )
    catalogue = pa.table(places, schema=schema).sort_by("place_id")
    pq.write_table(histories, folder.histories)
    pq.write_table(catalogue, folder.places)
    digest = hashlib.sha256()
    for file in (folder.histories, folder.places):
        digest.update(file.read_bytes())
    # An order tells no time to cut at; then all but everyone's last two events are learned.
    cut_at = int(ats.max()) + MINUTE if is_time_synthetic else int(np.sort(ats)[len(ats) * 9 // 10])
    manifest = Manifest(
        format=FORMAT,
        cut_at=datetime.fromtimestamp(cut_at / 1_000_000, tz=UTC).isoformat(),
        is_time_synthetic=is_time_synthetic,
        hash=digest.hexdigest(),
        users=len(names),
        places=len(catalogue),
        events=len(users),
        as_of=datetime.fromtimestamp(int(ats.max()) // 1_000_000, tz=UTC).isoformat(),
    )
    folder.manifest.write_text(json_text(manifest))


SETS: dict[str, Callable[[Path, Path, int | None], None]] = {
    "ml-1m": movielens,
    "nyc": new_york,
    "beauty": beauty,
}
"""What reads a data set below a folder and writes it to another, whole or for so many people."""
