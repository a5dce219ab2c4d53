"""What one person does many times, and what happened at one moment, makes no false quality."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.landing import load_mapping
from serving.home import Home
from tests.cases.daily_life import a_crawler, only_the_day_is_known, small_home
from tests.command import TINY, tastemate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

NOTHING_CAN_BE_TOLD = 0.06
"""Of 200 places; by luck ten of them hold the right one in 5 of 100 cases."""


def run(home: Home, mapping: Path, export: Path) -> dict[str, Any]:
    told = ["--source", "interactions", "--mapping", str(mapping), "--path", str(export)]
    return dict(json.loads(tastemate(home.root, "run", *told, *TINY, "--json").stdout))


def test_ids_that_name_the_place_tell_nothing_of_what_comes_next(tmp_path: Path) -> None:
    only_the_day_is_known.write_marks(tmp_path / "export")
    mapping = only_the_day_is_known.MAPPING_OWN_IDS
    report = run(Home(tmp_path / "home"), mapping, tmp_path / "export")
    assert report["release_kind"] == "baseline"
    for quality in report["quality"].values():
        assert max(told["ndcg_10"] for told in quality.values()) < NOTHING_CAN_BE_TOLD
    assert report["histories"]["tied_share"] > 0.99
    assert "at the same moment as another" in (tmp_path / "home/reports/latest.md").read_text()


def test_an_order_beside_the_time_tells_what_came_first(tmp_path: Path) -> None:
    """Each day's likes go on from place to place; without `order` nothing would tell so."""
    export = tmp_path / "export"
    export.mkdir()
    rows = [
        (f"u{user}", f"p{(user * 17 + nth + 5 * day) % 90}", f"2025-03-{day + 1:02}", nth)
        for user in range(120)
        for day in range(5)
        for nth in reversed(range(5))
    ]
    small_home.write_csv(export / "events.csv", ("who", "where", "when", "nth"), rows)
    mapping = only_the_day_is_known.MAPPING.with_name("marks_in_order.yml")
    home = Home(tmp_path / "home")
    report = run(home, mapping, export)
    assert report["quality"]["time"]["co_occurrence"]["ndcg_10"] > 0.5
    for places in pq.read_table(home.features / "user_favor.parquet")[
        "event_place_ids"
    ].to_pylist():
        numbers = [int(place[1:]) for place in places]
        assert all((after - before) % 90 == 1 for before, after in pairwise(numbers))


def test_a_crawler_is_not_the_headline_and_can_be_left_out(tmp_path: Path) -> None:
    a_crawler.write_visits(tmp_path / "export")
    home = Home(tmp_path / "home")
    report = run(home, small_home.MAPPING, tmp_path / "export")
    told = report["quality"]["time"]["co_occurrence"]
    assert told["largest_share"] > 0.8
    assert told["ndcg_10"] > told["ndcg_10_capped"] + 0.2
    (headline,) = (one for one in report["figures"] if one["name"].startswith("NDCG"))
    assert headline["value"] < 0.6
    assert "One person makes" in report["verdict"]["sentence"]

    limited = tmp_path / "limited.yml"
    limited.write_text(
        small_home.MAPPING.read_text().replace("kind:", "max_events_per_day: 20, kind:")
    )
    assert load_mapping(limited).events.max_events_per_day == 20
    report = run(home, limited, tmp_path / "export")
    # The model stays, for nothing new has come; what was learned is learned until it is trained.
    assert report["retraining"]["retrain"] is False
    tastemate(home.root, "train", *TINY)
    told = json.loads(tastemate(home.root, "evaluate", "--json").stdout)
    assert told["time"]["co_occurrence"]["largest_share"] < 0.1
    assert told["time"]["co_occurrence"]["ndcg_10"] < 0.5
    assert told["histories"]["largest_share"] < 0.02
    events = pq.read_table(home.marts / "fct_events.parquet")
    assert events["is_counted"].to_pylist().count(False) == a_crawler.VISITS - 20

    pseudonym = tastemate(home.root, "who", a_crawler.CRAWLER).stdout.strip()
    # Each time nothing new has come, and yet the run does its work.
    for until, is_there in (("2025-11-02", True), ("", False)):
        home.excluded_people.write_text(f"user_id,since,until\n{pseudonym},2025-11-01,{until}\n")
        run(home, limited, tmp_path / "export")
        favors = pq.read_table(home.features / "user_favor.parquet")["user_id"].to_pylist()
        assert (pseudonym in favors) == is_there
    parity = json.loads(tastemate(home.root, "parity", "--json").stdout)
    assert parity["holds"]

    done = json.loads(tastemate(home.root, "forget", a_crawler.CRAWLER, "--json").stdout)
    assert "excluded_people.csv" in {one["place"] for one in done["was_in"]}
    assert done["proof"]["holds"]
    assert home.excluded_people.read_text() == "user_id,since,until\n"
