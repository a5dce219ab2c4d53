"""What a data test claims, in words."""

from typing import Any

import pytest

from models_ml.typed_json import decode
from orchestration.warehouse.dbt_manifest import DbtTest
from orchestration.warehouse.dbt_test_text import claim


def made(kind: str, description: str = "", **asked: Any) -> DbtTest:
    """Make a test as the manifest tells of it."""
    asked |= {"model": "{{ get_where_subquery(ref('fct_events')) }}"}
    told = {"description": description, "test_metadata": {"name": kind, "kwargs": asked}}
    return decode(DbtTest, told, "a test")


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (made("not_null", column_name="user_id"), "user_id of fct_events is never empty."),
        (made("unique", column_name="place"), "No two rows of fct_events have the same place."),
        (
            made("accepted_values", column_name="event_kind", values=["like", "review", "visit"]),
            "event_kind of fct_events is like, review or visit, and nothing else.",
        ),
        (
            made("accepted_values", column_name="stars", values=[5]),
            "stars of fct_events is 5, and nothing else.",
        ),
        (
            made("relationships", column_name="file_id", to="ref('files')", field="file_id"),
            "Every file_id of fct_events stands in files.",
        ),
        (
            made("relationships", column_name="place_id", to='source("raw", "places")', field="id"),
            "Every place_id of fct_events stands in places as id.",
        ),
        (made("unique_line"), "Every line of a file stands in fct_events once."),
        (
            made("unique_together", columns=["user_id", "known_at"]),
            "No two rows of fct_events agree in user_id and known_at.",
        ),
    ],
)  # fmt: skip
def test_a_test_says_what_it_claims_of_which_model(test: DbtTest, said: str) -> None:
    assert claim(test, "fct_events") == said


def test_what_is_said_where_a_test_is_declared_goes_before() -> None:
    test = made("unique", "One event, one row.", column_name="event_id")
    assert claim(test, "fct_events") == "One event, one row."


def test_of_a_kind_that_nobody_described_nothing_is_said() -> None:
    assert claim(made("recent", days=3), "fct_events") is None
    assert claim(DbtTest(), "fct_events") is None
