"""A small source of events and places, to begin a home with."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

MAPPING = Path(__file__).with_name("visits.yml")
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 300


def write_visits(
    folder: Path, users: int = 200, places: int = 80, events: int = 4000, seed: int = 1
) -> None:
    """Write `events.csv` and `places.csv`, which `MAPPING` describes.

    Whose numbers are near to each other go to places that are near in number.
    """
    draw = random.Random(seed)  # noqa: S311 - an invented town
    places_csv = [
        (f"p{nth}", f"cat{nth % 7}", f"{40 + draw.random() * 0.3:.5f}",
         f"{-74 + draw.random() * 0.3:.5f}")
        for nth in range(places)
    ]  # fmt: skip
    visits = []
    for _ in range(events):
        user = draw.randrange(users)
        place = (user * 3 + int(draw.expovariate(1 / 6))) % places
        at = BEGIN + timedelta(seconds=draw.randrange(DAYS * 86400))
        visits.append((at, f"u{user}", f"p{place}"))
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "places.csv", ("place", "tags", "lat", "lon"), places_csv)
    rows = [(user, place, at.isoformat()) for at, user, place in sorted(visits)]
    write_csv(folder / "events.csv", ("who", "where", "when"), rows)


def write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Write a CSV file as spreadsheets do."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
