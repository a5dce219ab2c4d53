"""Small hand-written worlds: what is landed, and what is to become of each line."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dbt_project.archive import LANDED_AT, Archive, Located, Unread

ANNA, BERT = "a" * 32, "b" * 32
LATER = LANDED_AT.replace(month=2)
"""When further files came: months before the bulk load, as its own lines were older still."""

FILMS = {
    "source": "films",
    "format": "csv",
    "events": {
        "file": "ratings.csv",
        "user": "user_id",
        "place": "film",
        "order": "step",
        "kind": "review",
        "rating": "stars",
    },
    "places": {"file": "films.csv", "place": "film", "categories": "genres", "separator": "|"},
}
SHOPS = {
    "source": "shops",
    "format": "jsonl",
    "events": {
        "file": "log.jsonl",
        "user": "user_id",
        "place": "shop",
        "time": {"column": "at", "unit": "iso", "timezone": "America/New_York"},
        "kind": "action",
        "event_id": "number",
        "discoverable": "public",
    },
    "places": {"file": "shops.jsonl", "place": "shop", "latitude": "lat", "longitude": "lon"},
}

LIKES: list[tuple[Any, str]] = [
    (
        {
            "_id": {"$oid": "65a000000000000000000001"},
            "user_id": ANNA,
            "contents_id": {"$oid": "65a0000000000000000000f1"},
            "display_id": {"$numberInt": "7"},
            "like_time": {"$date": {"$numberLong": "1704067200123"}},
        },
        "accepted",
    ),
    (
        {
            "_id": "65a000000000000000000002",
            "user_id": BERT,
            "contents_id": "65a0000000000000000000f1",
            "display_id": "7",
            "like_time": "2024-01-01T00:00:00.123Z",
            "name": "nested surprise",
            "tags": [{"a": None}],
        },
        "accepted",
    ),
    (
        {"_id": 3, "user_id": ANNA, "contents_id": "p3", "like_time": "2023-07-01 12:00:00+05:30"},
        "accepted",
    ),
    (
        {"_id": 3, "user_id": ANNA, "contents_id": "p3", "like_time": "2023-07-01 12:00:00+05:30"},
        "duplicate",
    ),
    ({"_id": 4, "user_id": ANNA, "contents_id": "p3"}, "no_time"),
    ({"_id": 5, "user_id": ANNA, "contents_id": "p3", "like_time": None}, "no_time"),
    ({"_id": 6, "user_id": ANNA, "contents_id": {"odd": 1}, "like_time": "2023-07-01"}, "no_place"),
    ({"_id": 7, "user_id": ANNA, "contents_id": "p3", "like_time": "next week"}, "bad_time"),
    ({"_id": 8, "user_id": ANNA, "contents_id": "p3", "like_time": 0}, "before_2000"),
    ({"_id": 9, "user_id": ANNA, "contents_id": "p3", "like_time": "2099-01-01"}, "in_future"),
    (
        {
            "_id": "'; drop table x; -- {{ 1 }}",
            "user_id": ANNA,
            "contents_id": 'a"b%[*]\u0000',
            "like_time": "2023-07-02",
        },
        "accepted",
    ),
    (Unread("not_json"), "not_json"),
    (Unread("not_text"), "not_text"),
    (Unread("erased"), "erased"),
    ("this is no JSON", "not_json"),
    ("[1, 2]", "no_place"),
]


def land_mixed(archive: Archive) -> dict[str, str]:
    """Land two sources' events and places with all kinds of dirt; tell the files' ids by role."""
    first = LIKES[1][0]
    places = [
        {"_id": "p3", "category_codes": "bar, club,bar", "district_code": "d1"},
        {"_id": "p4", "category_codes": ["x"], "location": {"lat": 95, "lng": 1}},
        {"_id": "p5", "location": {"lat": {"$numberDouble": "1.5"}, "lng": "2"}},
    ]
    log = [
        {"number": 1, "user_id": ANNA, "shop": "s1", "at": "2024-01-01 10:00:00", "action": "like"},
        {"number": 2, "user_id": ANNA, "shop": "s1", "at": "2024-01-01T15:00:00Z", "action": "??"},
        {
            "number": 3,
            "user_id": BERT,
            "shop": "s2",
            "at": "2024-01-02",
            "action": "visit",
            "public": False,
        },
    ]
    correction = log[0] | {"shop": "s9"}
    return {
        "likes": archive.land("sample", "likes", [line for line, _ in LIKES]),
        "repeat": archive.land("sample", "likes", [first], landed_at=LATER, is_backfill=False),
        "places": archive.land("sample", "places", places),
        "newer_places": archive.land(
            "sample",
            "places",
            [{"_id": "p3", "category_codes": ["pub"], "district_code": "d2"}],
            landed_at=LATER,
            is_backfill=False,
        ),
        "log": archive.land("shops", "events", log, mapping=SHOPS),
        "correction": archive.land(
            "shops", "events", [correction], landed_at=LATER, is_backfill=False, mapping=SHOPS
        ),
        "shops": archive.land(
            "shops",
            "places",
            [Located({"shop": "s1", "lat": 40.7, "lon": -74}, "872a1072bffffff")],
            mapping=SHOPS,
        ),
        "future": archive.land(
            "sample",
            "likes",
            [{"_id": 99, "user_id": BERT, "contents_id": "p3", "like_time": "2024-04-01"}],
            landed_at=datetime(2024, 4, 2, tzinfo=UTC),
            is_backfill=False,
        ),
        "empty": archive.land("sample", "reviews", []),
    }


def land_films(archive: Archive) -> None:
    """Land three hours of an order-only source, one step a half-hour."""
    events = [{"user_id": ANNA, "film": n, "step": 30 * n, "stars": "4"} for n in range(7)]
    archive.land("films", "events", events, mapping=FILMS)
    archive.land("films", "places", [{"film": 0, "genres": "Comedy|War, old"}], mapping=FILMS)


def land_sample(archive: Archive) -> None:
    """Land likes of the sample and nothing else."""
    day = timedelta(days=1)
    likes = [
        {"_id": n, "user_id": ANNA, "contents_id": "p1", "like_time": str(LANDED_AT - n * day)}
        for n in range(1, 4)
    ]
    archive.land("sample", "likes", likes)
