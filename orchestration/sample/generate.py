"""Write a sample city: the documents to ingest, and apart from them the truth about it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.home.atomic_files import new_folder
from orchestration.sample import dirt, documents
from orchestration.sample.city import People, build_city, build_people
from orchestration.sample.life import Visits, live

EVENTS = 120_000
_EVENTS_A_USER = 60
_PLACES = 1_500
_LIKED_AT_FIRST, _LIKED_AGAIN = 0.75, 0.3


class SampleError(Exception):
    """A city of the size asked for cannot be."""


@dataclass(frozen=True)
class SampleCity:
    """Where a sample city lies.

    documents  folder to ingest: places.jsonl, likes.jsonl, reviews.jsonl
    truth      Parquet: user_id, tastes (weights), main_taste, district; never ingested
    dirt       JSON: per kind, the number of good lines and of each way of being unfit
    """

    documents: Path
    truth: Path
    dirt: Path


def generate(
    out: Path,
    *,
    users: int | None = None,
    places: int | None = None,
    events: int = EVENTS,
    seed: int = 0,
) -> SampleCity:
    """Write a city to *out*; the same arguments give the same bytes.

    Without *users* and *places*, the city grows with its *events*.
    """
    users = users or max(20, events // _EVENTS_A_USER)
    places = places or max(80, int(_PLACES * (events / EVENTS) ** 0.5))
    if events < users:
        raise SampleError(f"events is {events}; it must be at least the {users} users.")
    # One stream of chance each, so that a change in one part leaves the others as they were.
    build, living, writing, soiling = (
        np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(4)
    )
    city = build_city(build, places)
    people = build_people(build, city, users)
    visits = live(living, city, people, events)
    liked = living.random(events) < np.where(visits.is_first, _LIKED_AT_FIRST, _LIKED_AGAIN)

    paths = SampleCity(out / "documents", out / "truth/truth.parquet", out / "truth/dirt.json")
    kinds = {
        "places": (documents.places(writing, city), dirt.spoilers("_id")),
        "likes": (
            documents.likes(writing, city, people, _where(visits, liked)),
            dirt.spoilers("contents_id", user="user_id", time="like_time"),
        ),
        "reviews": (
            documents.reviews(writing, city, people, _where(visits, ~liked)),
            dirt.spoilers("place_id", user="user_id", time="visited_date", rating="rating"),
        ),
    }
    counted = {}
    with new_folder(paths.documents) as draft:
        for kind, (records, ways) in kinds.items():
            counts = Counter[str]()
            _write(draft / f"{kind}.jsonl", dirt.soil(soiling, records, ways, counts))
            counted[kind] = {**dict(sorted(counts.items())), "lines": counts.total()}
        _write_truth(paths, people, counted)
    return paths


def _where(visits: Visits, chosen: np.ndarray) -> Visits:
    return Visits(
        user=visits.user[chosen],
        place=visits.place[chosen],
        at=visits.at[chosen],
        is_follow_up=visits.is_follow_up[chosen],
        is_first=visits.is_first[chosen],
    )


def _write(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb", buffering=1 << 20) as file:
        for line in lines:
            file.write(line)
            file.write(b"\n")


def _write_truth(paths: SampleCity, people: People, counted: dict[str, dict[str, int]]) -> None:
    paths.truth.parent.mkdir(parents=True, exist_ok=True)
    truth = pa.table(
        {
            "user_id": [documents.user_id(user) for user in range(len(people.home))],
            "tastes": people.tastes.tolist(),
            "main_taste": people.tastes.argmax(1),
            "district": people.home,
            "is_discoverable": people.is_discoverable,
        }
    )
    pq.write_table(truth, paths.truth)
    paths.dirt.write_bytes(orjson.dumps(counted, option=orjson.OPT_INDENT_2))
