"""The city's records as a schema-less store exports them: the same thing written in many ways.

Every document is right in itself; what is wrong with an export is put in by `dirt`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

import numpy as np

from orchestration.sample.city import CATEGORIES, City, People
from orchestration.sample.life import Visits, affinity

FIRST_USER = 100_001
PLACES, LIKES, REVIEWS = "places", "likes", "reviews"
_FIRST_DIGIT = {LIKES: "6", REVIEWS: "7"}
_SHOWN = ("home_feed", "search", "friend_profile")
Json = Union[bool, int, float, str, Sequence["Json"], Mapping[str, "Json"], None]  # noqa: UP007 - names itself
Document = dict[str, Json]
"""A raw document: whatever fields its maker has given it."""


def user_id(user: int) -> str:
    """Give the product's own id of a person."""
    return str(FIRST_USER + user)


def place_id(city: City, place: int) -> str:
    """Give the product's own id of a place: readable, and opaque to everything."""
    return f"{CATEGORIES[city.category[place]]}-{place:04d}"


def places(random: np.random.Generator, city: City, first: int = 0) -> Iterator[Document]:
    """Yield a document per place, from the *first* one on."""
    draws = random.random((4, len(city.category) - first))
    for place, (kind, coordinates, wrapped, district) in enumerate(draws.T.tolist(), first):
        first, second = int(city.category[place]), int(city.second_category[place])
        codes = [CATEGORIES[first]] + ([CATEGORIES[second]] if second >= 0 else [])
        document: Document = {
            "_id": place_id(city, place),
            "name": f"{CATEGORIES[first].replace('_', ' ').title()} No. {place}",
            "category_codes": codes if kind < 0.7 else ",".join(codes),  # noqa: PLR2004
        }
        if district > 0.02:  # noqa: PLR2004
            document["district_code"] = f"d{int(city.district[place]):02d}"
        if coordinates > 0.03:  # noqa: PLR2004
            latitude = round(float(city.latitude[place]), 6)
            longitude = round(float(city.longitude[place]), 6)
            document["location"] = (
                {"lat": {"$numberDouble": str(latitude)}, "lng": {"$numberDouble": str(longitude)}}
                if wrapped < 0.2  # noqa: PLR2004
                else {"lat": latitude, "lng": longitude}
            )
        yield document


def likes(
    random: np.random.Generator, city: City, people: People, visits: Visits, numbers: Sequence[int]
) -> Iterator[Document]:
    """Yield a document per visit that was liked; *numbers* make their ids."""
    shown = random.integers(0, len(_SHOWN), len(visits.user))
    forms = random.random((3, len(visits.user)))
    rows = zip(numbers, *_as_lists(visits), shown.tolist(), *forms.tolist(), strict=True)
    for number, user, place, at, follows, where, form, user_form, absent in rows:
        document: Document = {
            "_id": _id_of(LIKES, number),
            "user_id": _user(user, user_form),
            "display_id": "map" if follows else _SHOWN[where],
            "contents_id": place_id(city, place),
            "like_time": _time(at, form),
        }
        if absent < 0.02:  # noqa: PLR2004
            del document["display_id"]
        yield _consenting(document, people, user, absent)


def reviews(
    random: np.random.Generator, city: City, people: People, visits: Visits, numbers: Sequence[int]
) -> Iterator[Document]:
    """Yield a document per visit that was reviewed; what is to one's taste is rated higher."""
    liked = affinity(people, city, visits)
    stars = 2.6 + 2.0 * liked + random.normal(0, 0.7, len(liked))
    halves = (np.round(stars * 2) / 2).clip(1, 5)
    forms = random.random((3, len(visits.user)))
    rows = zip(numbers, *_as_lists(visits), halves.tolist(), *forms.tolist(), strict=True)
    for number, user, place, at, _, rating, form, user_form, absent in rows:
        document: Document = {
            "_id": _id_of(REVIEWS, number),
            "user_id": _user(user, user_form),
            "place_id": place_id(city, place),
            "rating": _rating(rating, user_form),
            "visited_date": _time(at, form),
        }
        if absent < 0.02:  # noqa: PLR2004
            del document["rating"]
        elif absent < 0.04:  # noqa: PLR2004
            document["rating"] = None
        yield _consenting(document, people, user, absent)


def deletions(
    random: np.random.Generator, kind: str, visits: Visits, numbers: Sequence[int]
) -> Iterator[Document]:
    """Yield a document per visit whose like or review is taken back at the time of the visit."""
    forms = random.random((2, len(visits.user)))
    rows = zip(numbers, visits.user.tolist(), visits.at.tolist(), *forms.tolist(), strict=True)
    for number, user, at, form, user_form in rows:
        yield {
            "_id": _id_of(kind, number),
            "user_id": _user(user, user_form),
            "deleted_at": _time(at, form),
        }


def _id_of(kind: str, number: int) -> Json:
    """Give the id of a like or review, unique over both."""
    return {"$oid": f"{_FIRST_DIGIT[kind]}{number:023x}"}


def _as_lists(visits: Visits) -> tuple[list[Any], ...]:
    columns = (visits.user, visits.place, visits.at, visits.is_follow_up)
    return tuple(column.tolist() for column in columns)


def _user(user: int, form: float) -> Json:
    number = FIRST_USER + user
    if form < 0.55:  # noqa: PLR2004
        return number
    return str(number) if form < 0.8 else {"$numberLong": str(number)}  # noqa: PLR2004


def _time(at: int, form: float) -> Json:
    if form < 0.25:  # noqa: PLR2004
        return at
    if form < 0.35:  # noqa: PLR2004
        return str(at)
    if form < 0.55:  # noqa: PLR2004
        return {"$date": {"$numberLong": str(at)}}
    text = f"{np.datetime64(at, 'ms')}Z"
    return {"$date": text} if form < 0.85 else text  # noqa: PLR2004


def _rating(rating: float, form: float) -> Json:
    if form < 0.7:  # noqa: PLR2004
        return rating
    return {"$numberDouble": str(rating)} if form < 0.9 else str(rating)  # noqa: PLR2004


def _consenting(document: Document, people: People, user: int, form: float) -> Document:
    """Say whether the person may be shown; most documents of those who may do not mention it."""
    if not people.is_discoverable[user]:
        document["is_discoverable"] = False
    elif form > 0.9:  # noqa: PLR2004
        document["is_discoverable"] = True
    return document
