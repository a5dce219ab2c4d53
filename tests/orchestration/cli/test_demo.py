"""The demo's page: each reason that the endpoint gives has words, and what to type next works."""

from pathlib import Path
from typing import get_args

import pytest

from orchestration.cli.demo_page import because, where_next
from orchestration.home.environment import PROJECT
from orchestration.home.hints import name_home
from serving.home import Home
from serving.messages import (
    PlaceReason,
    Popular,
    SameCategory,
    SameDistrict,
    SharedCategories,
    SharedPlaces,
    UserReason,
    VisitedBefore,
)
from tests.made import run_report

SAID = [
    (SharedPlaces(count=3, place_ids=["p1", "p2", "p3"]), "3 places, such as p1, p2"),
    (SharedPlaces(count=1, place_ids=["p1"]), "the place p1"),
    (SharedCategories(count=2, category_codes=["cafe", "bar"]), "cafe, bar"),
    (VisitedBefore(count=1), "been there once"),
    (SameCategory(category_codes=["cafe"], place_ids=["p9", "p1"]), "like p9: cafe"),
    (SameDistrict(district_code="d01", count=4), "been in this district 4 times"),
    (Popular(event_count=1200), "popular: 1,200 events there"),
]


@pytest.mark.parametrize(("reason", "words"), SAID)
def test_a_reason_is_told_in_words(reason, words: str) -> None:
    assert because([reason]) == words


def test_every_kind_of_reason_is_among_them() -> None:
    kinds = {kind for reason in (UserReason, PlaceReason) for kind in get_args(get_args(reason)[0])}
    assert kinds == {type(reason) for reason, _ in SAID}


def test_several_reasons_stand_side_by_side() -> None:
    assert because([SAID[3][0], SAID[5][0]]) == ("been there once; been in this district 4 times")


@pytest.mark.parametrize("is_named", [True, False])
def test_what_to_type_next_names_the_home_that_was_filled(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_named: bool,  # noqa: FBT001
) -> None:
    home = Home(tmp_path / "a home")
    if is_named:
        name_home(home.root)
    else:
        monkeypatch.setenv("TASTEMATE_HOME", str(home.root))
    try:
        told = where_next(home, run_report())
    finally:
        name_home(None)
    assert (f"  tastemate --home '{home.root}' serve" in told) is is_named
    assert ("  tastemate serve" in told) is not is_named


def test_the_home_that_make_knows_is_served_by_make() -> None:
    assert "  make serve" in where_next(Home(PROJECT / ".tastemate"), run_report())
