"""The demo's page: each reason that the endpoint gives has words."""

from typing import get_args

import pytest

from orchestration.cli.demo_page import because
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
