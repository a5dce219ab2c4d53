"""Write a sample city: the documents to ingest, and apart from them the truth about it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.home.atomic_files import new_folder
from orchestration.sample import dirt, documents
from orchestration.sample.city import People
from orchestration.sample.dates import WEEK_MS
from orchestration.sample.documents import LIKES, PLACES, REVIEWS
from orchestration.sample.past import EVENTS, Size, chance_of_city, past_of


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


def generate(  # noqa: PLR0913 - what a city may be asked to be
    out: Path,
    *,
    users: int | None = None,
    places: int | None = None,
    events: int = EVENTS,
    seed: int = 0,
    weeks: int = 0,
) -> SampleCity:
    """Write a city to *out*, its year moved by *weeks*; the same arguments give the same bytes.

    Without *users* and *places*, the city grows with its *events*.

    Raises:
        SampleError: there are more users than events.
    """
    past = past_of(seed, Size.of(events, users=users, places=places))
    _, _, writing, soiling = chance_of_city(seed)
    city, people = past.world.city, past.world.people
    visits = past.visits.later(weeks * WEEK_MS)
    liked, reviewed = visits.of(past.is_like), visits.of(~past.is_like)
    paths = SampleCity(out / "documents", out / "truth/truth.parquet", out / "truth/dirt.json")
    kinds = {
        PLACES: documents.places(writing, city),
        LIKES: documents.likes(writing, city, people, liked, range(len(liked.user))),
        REVIEWS: documents.reviews(writing, city, people, reviewed, range(len(reviewed.user))),
    }
    counted = {}
    with new_folder(paths.documents) as draft:
        for kind, records in kinds.items():
            counts = Counter[str]()
            _write(draft / f"{kind}.jsonl", dirt.soil(soiling, records, dirt.WAYS[kind], counts))
            counted[kind] = {**dict(sorted(counts.items())), "lines": counts.total()}
        _write_truth(paths, people, counted)
    return paths


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
