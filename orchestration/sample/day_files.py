"""The lines that tell of a day after the year, a file a kind, and what is in them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from orchestration.sample import dirt, documents
from orchestration.sample.changes import Told
from orchestration.sample.dates import WEEK_MS
from orchestration.sample.days import Day
from orchestration.sample.documents import LIKES, PLACES, REVIEWS, Document
from orchestration.sample.life import Visits
from orchestration.sample.past import Past, chance_of_day

KINDS = (PLACES, LIKES, REVIEWS)


@dataclass(frozen=True)
class DayFile:
    """What the lines of a file tell; `lines` is the sum of the other counts.

    on_time    what happened on the day; of places, what opened
    late       what happened on a day before
    corrected  what was told in the year, otherwise
    deleted    that something told in the year is taken back
    repeated   the same as a line before
    unfit      nothing that can be used
    """

    name: str
    kind: str
    lines: int
    on_time: int
    late: int
    corrected: int
    deleted: int
    repeated: int
    unfit: int


def files_of(past: Past, day: Day, weeks: int, name: str) -> Iterator[tuple[DayFile, bytes]]:
    """Give the *day*'s files, of a city whose year was moved by *weeks*.

    *name* is that of a file, with `{kind}` in it.
    """
    _, _, writing, soiling = chance_of_day(past, day.number)
    for kind in KINDS:
        told = [_of_kind(part, kind, weeks) for part in (day.on_time, day.late, day.corrected)]
        good = _documents(writing, day, kind, told)
        counts = Counter[str]()
        lines = list(dirt.soil(soiling, good, dirt.WAYS[kind], counts))
        deleted = _of_kind(day.deleted, kind, weeks)
        lines += map(
            orjson.dumps, documents.deletions(writing, kind, deleted.visits, deleted.numbers)
        )
        on_time, late, corrected = (len(part.numbers) for part in told)
        repeated = counts.pop("duplicate", 0)
        yield (
            DayFile(
                name=name.format(kind=kind),
                kind=kind,
                lines=len(lines),
                on_time=on_time if kind != PLACES else counts["good"],
                late=late,
                corrected=corrected,
                deleted=len(deleted.numbers),
                repeated=repeated,
                unfit=counts.total() - counts["good"],
            ),
            b"".join(line + b"\n" for line in lines),
        )


def _documents(
    random: np.random.Generator, day: Day, kind: str, told: list[Told]
) -> Iterator[Document]:
    if kind == PLACES:
        return documents.places(random, day.world.city, day.new_place)
    visits = Visits.joined(*(part.visits for part in told))
    numbers = [number for part in told for number in part.numbers]
    write = documents.likes if kind == LIKES else documents.reviews
    return write(random, day.world.city, day.world.people, visits, numbers)


def _of_kind(told: Told, kind: str, weeks: int) -> Told:
    """Give those of a kind, with the time as it is where the year was moved to."""
    chosen = {PLACES: np.zeros_like(told.is_like), LIKES: told.is_like, REVIEWS: ~told.is_like}
    part = told.of(chosen[kind])
    return part.later(weeks * WEEK_MS)
