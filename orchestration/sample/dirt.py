"""What goes wrong in an export, put in on purpose and counted.

Each unfit line is an extra one, made from a good line, so that taking the dirt out leaves
the city as it was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

import numpy as np
import orjson

from orchestration.sample.documents import LIKES, PLACES, REVIEWS, Document

_REPEATED = 0.005
_UNFIT = 0.004
"""Which share of the good lines comes twice, and which is followed by one that is unfit."""
Spoiler = Callable[[Document], bytes]


def _without(field: str, *, null: bool = False) -> Spoiler:
    def spoil(document: Document) -> bytes:
        rest = {name: value for name, value in document.items() if name != field}
        return orjson.dumps({**rest, field: None} if null else rest)

    return spoil


def _with(field: str, value: object) -> Spoiler:
    return lambda document: orjson.dumps({**document, field: value})


def _spoilers(
    place: str, *, user: str | None = None, time: str | None = None, rating: str | None = None
) -> list[tuple[str, Spoiler]]:
    """List the ways in which a kind's lines are unfit, each with the reason it should be given."""
    ways: list[tuple[str, Spoiler]] = [
        ("blank_line", lambda _: b""),
        ("not_json", lambda document: orjson.dumps(document)[:-9]),
        ("not_text", lambda document: orjson.dumps(document)[:-1] + b',"note":"caf\xe9"}'),
        ("not_an_object", lambda document: orjson.dumps([document])),
        ("no_place", _without(place)),
        ("no_place", _without(place, null=True)),
    ]
    if user:
        ways += [("no_user", _without(user)), ("no_user", _without(user, null=True))]
    if time:
        ways += [
            ("no_time", _without(time)),
            ("bad_time", _with(time, "last summer")),
            ("before_2000", _with(time, {"$date": "1970-01-01T00:00:00.000Z"})),
            ("in_future", _with(time, "2099-05-01T12:00:00Z")),
        ]
    if rating:
        ways.append(("bad_rating", _with(rating, 999)))
    return ways


WAYS = {
    PLACES: _spoilers("_id"),
    LIKES: _spoilers("contents_id", user="user_id", time="like_time"),
    REVIEWS: _spoilers("place_id", user="user_id", time="visited_date", rating="rating"),
}
"""By kind of document."""


def soil(
    random: np.random.Generator,
    documents: Iterable[Document],
    ways: list[tuple[str, Spoiler]],
    counts: Counter[str],
) -> Iterator[bytes]:
    """Yield the lines of *documents* with dirt between them; note in *counts* what was put in."""
    waiting: list[bytes] = []
    in_turn = cycle(ways)
    for document in documents:
        line = orjson.dumps(document)
        draw = random.random()
        counts["good"] += 1
        yield line
        if draw < _REPEATED:
            waiting.append(line)
        elif draw < _REPEATED + _UNFIT:
            reason, spoil = next(in_turn)
            counts[reason] += 1
            yield spoil(document)
        elif waiting and draw > 0.9:  # noqa: PLR2004 - a repetition comes a little later
            counts["duplicate"] += 1
            yield waiting.pop()
    for line in waiting:
        counts["duplicate"] += 1
        yield line
