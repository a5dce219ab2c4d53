"""Random histories, landed over several days, and what they must come to, told in plain Python."""

import hashlib
import random
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dbt_project.archive import Archive

START = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = [
    datetime(2024, 1, 1, tzinfo=UTC),
    *(datetime(2024, 2, day, 4, tzinfo=UTC) for day in (1, 2, 3)),
]
"""When files land: the bulk load first."""
SIZES = (1, 3, 40, 199, 200, 201, 399, 450, 650)
MAPPING = {
    "source": "walks",
    "format": "jsonl",
    "events": {
        "file": "walks.jsonl",
        "user": "user_id",
        "place": "place",
        "time": {"column": "at", "unit": "us"},
        "order": "step",
        "kind": "visit",
        "event_id": "id",
        "deleted": "gone",
        "max_events_per_day": 5,
    },
}
MOST_A_DAY = 5
DAY = 86_400_000_000


@dataclass(frozen=True)
class Event:
    """One version of one event."""

    event_id: str
    user_id: str
    place_id: str
    event_kind: str
    event_at: int
    known_at: int
    rating: float = -1.0
    display_id: str | None = None
    is_discoverable: bool | None = None
    is_deleted: bool = False
    event_order: int | None = None

    @property
    def in_time(self) -> tuple[Any, ...]:
        """The key of the order of events: time, the source's order, the md5 of the id."""
        # Who has no order stands last.
        order = (self.event_order is None, self.event_order or 0)
        return self.event_at, *order, hashlib.md5(self.event_id.encode()).hexdigest()  # noqa: S324


def land_histories(archive: Archive, seed: int) -> list[Event]:
    """Land a history for each of SIZES, day by day."""
    *_, versions = land_day_by_day(archive, seed)
    return versions


def land_day_by_day(archive: Archive, seed: int) -> Iterator[list[Event]]:
    """Land a day of DAYS at each step, and tell all versions of all events so far.

    A bulk load comes first, then late, corrected, deleted, repeated rows, places, and on one day a
    bulk load of what is yet to happen.
    """
    chance = random.Random(seed)  # noqa: S311 - a repeatable history, no secret
    versions: list[Event] = []
    for day, landed_at in enumerate(DAYS):
        batch: list[Event] = []
        for number, size in enumerate(SIZES):
            share = size if day == 0 else size // 20
            batch += [_event(chance, f"{number:032x}", landed_at, day) for _ in range(share)]
        if day:
            batch += [_corrected(chance, event, landed_at) for event in chance.sample(versions, 20)]
            batch += [_deleted(event, landed_at) for event in chance.sample(versions, 15)]
        _land(archive, batch, landed_at, is_backfill=day == 0)
        _land(
            archive, chance.sample(versions, min(10, len(versions))), landed_at, is_backfill=False
        )
        _land_places(archive, chance, landed_at)
        if day == 2:
            ahead = [_ahead(chance, landed_at) for _ in range(10)]
            _land(archive, ahead, landed_at, is_backfill=True)
            batch += ahead
        versions += batch
        yield list(versions)


def _ahead(chance: random.Random, landed_at: datetime) -> Event:
    """Make an event that happens in the day after it landed, where a clock is ahead."""
    event_at = microseconds(landed_at + timedelta(minutes=chance.randrange(20 * 60)))
    event = _event(chance, f"{chance.randrange(len(SIZES)):032x}", landed_at, day=0)
    return replace(event, event_at=event_at, known_at=event_at)


def _land_places(archive: Archive, chance: random.Random, landed_at: datetime) -> None:
    places = [
        {"_id": f"{chance.choice('pqx')}{number}", "category_codes": [f"c{chance.randrange(9)}"]}
        for number in chance.sample(range(30), 12)
    ]
    archive.land("sample", "places", places, landed_at=landed_at, is_backfill=False)


def _event(chance: random.Random, user_id: str, landed_at: datetime, day: int) -> Event:
    # Few distinct moments, so that events share a time and something else must decide.
    event_at = microseconds(START + timedelta(minutes=20 * chance.randrange(2_000)))
    kind = chance.choice(["like", "review", "visit"])
    return Event(
        event_id=f"{chance.getrandbits(96):024x}",
        user_id=user_id,
        place_id=f"p{chance.randrange(30)}",
        event_kind=kind,
        event_at=event_at,
        known_at=microseconds(landed_at) if day else event_at,
        rating=float(chance.randrange(6)) if kind == "review" else -1.0,
        display_id=f"d{chance.randrange(40)}" if kind == "like" and chance.random() < 0.9 else None,
        is_discoverable=chance.choice([None, None, True, False]) if kind != "visit" else None,
        event_order=chance.randrange(3) if kind == "visit" and chance.random() < 0.7 else None,
    )


def _corrected(chance: random.Random, event: Event, landed_at: datetime) -> Event:
    """Correct the place, and now and then whose event it was."""
    someone = f"{chance.randrange(len(SIZES)):032x}"
    return replace(
        event,
        user_id=someone if chance.random() < 0.3 else event.user_id,
        place_id=f"q{chance.randrange(30)}",
        known_at=microseconds(landed_at),
        is_deleted=False,
    )


def _deleted(event: Event, landed_at: datetime) -> Event:
    return replace(event, known_at=microseconds(landed_at), is_deleted=True)


def _land(archive: Archive, batch: list[Event], landed_at: datetime, *, is_backfill: bool) -> None:
    documents: dict[str, list[dict[str, Any]]] = {"like": [], "review": [], "visit": []}
    for event in batch:
        documents[event.event_kind].append(_document(event))
    when: dict[str, Any] = {"landed_at": landed_at, "is_backfill": is_backfill}
    archive.land("sample", "likes", documents["like"], **when)
    archive.land("sample", "reviews", documents["review"], **when)
    archive.land("walks", "events", documents["visit"], mapping=MAPPING, **when)


def _document(event: Event) -> dict[str, Any]:
    document: dict[str, Any] = {"user_id": event.user_id}
    if event.is_deleted:
        return document | _deletion(event)
    if event.is_discoverable is not None:
        document["is_discoverable"] = event.is_discoverable
    if event.event_kind == "visit":
        step = {} if event.event_order is None else {"step": event.event_order}
        told = {"id": event.event_id, "place": event.place_id, "at": event.event_at}
        return document | told | step
    document["_id"] = {"$oid": event.event_id}
    if event.event_kind == "review":
        date = {"$date": {"$numberLong": str(event.event_at // 1000)}}
        return document | {
            "place_id": event.place_id,
            "rating": event.rating,
            "visited_date": date,
        }
    date = (datetime.fromtimestamp(event.event_at / 1e6, UTC)).isoformat()
    return document | {
        "contents_id": event.place_id,
        "display_id": event.display_id,
        "like_time": date,
    }


def _deletion(event: Event) -> dict[str, Any]:
    """Name the event and say that it is gone; nothing else has to be told."""
    # With the day, for of two equal documents the second would be a duplicate.
    day = datetime.fromtimestamp(event.known_at / 1e6, UTC).isoformat()
    if event.event_kind == "visit":
        return {"id": event.event_id, "gone": True, "noted": day}
    return {"_id": event.event_id, "deleted_at": day}


def newest(versions: list[Event]) -> list[Event]:
    """Keep the version of each event that became known last, unless it says that it is gone."""
    ordered = sorted(versions, key=lambda event: (event.known_at, event.is_deleted))
    kept = {event.event_id: event for event in ordered}
    return [event for event in kept.values() if not event.is_deleted]


def counted(events: list[Event], excluded: Collection[str] = ()) -> list[Event]:
    """Keep what counts: of walks the first few of a person and day, and nobody who is excluded."""
    so_far: Counter[tuple[str, int]] = Counter()
    kept = []
    for event in sorted(events, key=lambda event: event.in_time):
        day = event.user_id, event.event_at // DAY
        so_far[day] += event.event_kind == "visit"
        is_surplus = event.event_kind == "visit" and so_far[day] > MOST_A_DAY
        if not is_surplus and event.user_id not in excluded:
            kept.append(event)
    return kept


def expected_favor(
    events: list[Event], now: int, excluded: Collection[str] = ()
) -> dict[tuple[str, int], dict[str, list[Any] | bool]]:
    """Tell the rows of user_favor by user and known_at."""
    told = counted(events, excluded)
    times = sorted(event.event_at for event in told)
    cutoff = times[len(times) * 9 // 10] - 1
    rows = {}
    for user_id in {event.user_id for event in told}:
        own = [event for event in told if event.user_id == user_id]
        own.sort(key=lambda event: event.known_at)
        spoken = [
            event
            for event in events
            if event.user_id == user_id and event.is_discoverable is not None
        ]
        spoken.sort(key=lambda event: (event.known_at, event.event_at, not event.is_discoverable))
        windows = [event.known_at for event in own[199::200]]
        # Where more became known at that moment, what was known just before it as well.
        pairs = zip(own[199::200], own[200::200], strict=False)
        windows += [
            event.known_at - 1 for event, following in pairs if following.known_at == event.known_at
        ]
        for moment in (now, cutoff, *windows):
            known = [event for event in own if event.known_at <= moment]
            heard = [event for event in spoken if event.known_at <= moment]
            if known:
                known_at = max(event.known_at for event in (known[-1], *heard[-1:]))
                consent = heard[-1].is_discoverable is True if heard else True
                rows[user_id, known_at] = _favor(known) | {"is_discoverable": consent}
    return rows


def _favor(known: list[Event]) -> dict[str, list[Any] | bool]:
    last = sorted(known, key=lambda event: event.in_time)[-200:]
    likes = Counter(event.display_id for event in known if event.display_id)
    top = sorted(likes.items(), key=lambda item: (-item[1], item[0]))[:20]
    return {
        "event_place_ids": [event.place_id for event in last],
        "event_kinds": [event.event_kind for event in last],
        "event_ats": [event.event_at for event in last],
        "event_ratings": [event.rating for event in last],
        "event_ids": [event.event_id for event in last],
        "like_stat_display_ids": [display_id for display_id, _ in top],
        "like_stat_counts": [count for _, count in top],
        "is_time_synthetic": False,
    }


def microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
