"""One person who calls at one place all day long, beside people who go their ways."""

import csv
from pathlib import Path

from tests.cases.daily_life import small_home

CRAWLER = "crawler"
VISITS = 360


def write_visits(folder: Path) -> None:
    """Write the small source with a crawler, whose last day it is.

    Right: what people did is as hard to tell as without the crawler (`ndcg_10_capped`), and with
    `max_events_per_day` in the mapping the crawler hardly counts. Seen: four of five targets were
    the crawler's, and NDCG@10 was above .8.
    """
    small_home.write_visits(folder)
    visits = [
        (CRAWLER, "p0", f"2025-10-28T{nth // 60:02}:{nth % 60:02}:00") for nth in range(VISITS)
    ]
    with (folder / "events.csv").open("a", newline="") as file:
        csv.writer(file).writerows(visits)
