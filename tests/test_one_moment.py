"""A first file of one day with one or two visits each: popularity goes live."""

import csv
import json
from pathlib import Path

import pytest

from serving.home import Home
from tests.command import TINY, tastemate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MAPPING = """
source: visits
format: csv
events: {file: visits.csv, user: who, place: where, time: {column: when}, kind: visit}
"""


def test_popularity_is_released_and_the_report_says_why(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    visits = [
        (f"u{who}", f"p{(who * 7 + nth) % 9}", "2025-03-01")
        for who in range(60)
        for nth in range(1 + who % 2)
    ]
    with (export / "visits.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("who", "where", "when"), *visits])
    (tmp_path / "visits.yml").write_text(MAPPING)
    home = Home(tmp_path / "home")
    mapped = ["--source", "interactions", "--mapping", str(tmp_path / "visits.yml")]
    done = tastemate(home.root, "run", *mapped, "--path", str(export), *TINY, "--json")
    report = json.loads(done.stdout)
    assert (report["status"], report["events"]) == ("succeeded", len(visits))
    assert (report["release_kind"], report["release_name"]) == ("baseline", "popularity")
    (why,) = report["refusals"]
    assert "nothing is held out by which a model could be judged" in why
    assert [one["value"] for one in report["figures"] if one["name"].startswith("NDCG")] == [None]
