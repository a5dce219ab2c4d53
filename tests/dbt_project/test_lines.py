"""What becomes of each landed line."""

from typing import Any

import pytest

from tests.dbt_project.worlds import ANNA, LIKES


def test_no_line_is_lost(mixed: Any) -> None:
    files = mixed.rows(
        "select lines_in, accepted + duplicates + quarantined + erased from {fct_landed_files}"
    )
    assert len(files) == 8
    assert all(lines_in == counted for lines_in, counted in files)


def test_each_line_has_the_status_and_reason_it_should(mixed: Any) -> None:
    expected = {
        number: status
        for number, (_, status) in enumerate(LIKES, start=1)
        if status not in {"accepted", "duplicate", "erased"}
    }
    reasons = mixed.rows(
        "select line_number, reason from {fct_quarantined_lines} where file_id = ?",
        mixed.landed["likes"],
    )
    assert dict(reasons) == expected


def test_the_first_of_equal_lines_by_landing_is_the_one_that_counts(mixed: Any) -> None:
    counts = mixed.rows(
        "select accepted, duplicates from {fct_landed_files} where file_id in (?, ?) "
        "order by landed_at",
        mixed.landed["repeat"],
        mixed.landed["likes"],
    )
    # The later file holds its own repetition, and the line that the earlier one brought.
    assert counts == [(1, 0), (3, 2)]


def test_an_empty_file_is_counted_with_nothing(mixed: Any) -> None:
    counts = mixed.rows(
        "select lines_in, accepted, duplicates, quarantined, erased from {fct_landed_files} "
        "where file_id = ?",
        mixed.landed["empty"],
    )
    assert counts == [(0, 0, 0, 0, 0)]


def test_a_file_landed_after_the_moment_of_the_build_is_not_known(mixed: Any) -> None:
    files = mixed.rows("select file_id from {fct_landed_files}")
    assert mixed.landed["future"] not in {file_id for (file_id,) in files}
    assert mixed.rows("select count(*) from {fct_events} where event_id = 'sample:likes:99'") == [
        (0,)
    ]


def test_extended_json_says_what_plain_values_say(mixed: Any) -> None:
    said = mixed.rows(
        "select place_id, display_id, epoch_us(event_at) from {fct_events} "
        "where place_id = '65a0000000000000000000f1'"
    )
    assert said == [("65a0000000000000000000f1", "7", 1_704_067_200_123_000)] * 2


def test_an_id_that_looks_like_code_is_only_an_id(mixed: Any) -> None:
    rows = mixed.rows(
        "select event_id, place_id from {fct_events} where epoch(event_at) = 1688256000"
    )
    assert rows == [("sample:likes:'; drop table x; -- {{ 1 }}", 'a"b%[*]\x00')]


@pytest.mark.parametrize("home", ["mixed", "histories", "films", "sample"])
def test_a_model_without_rows_is_handed_on_without_rows(
    home: str, request: pytest.FixtureRequest
) -> None:
    built = request.getfixturevalue(home)
    assert built.rows("select count(*) from {fct_quarantined_lines} where file_id is null") == [
        (0,)
    ]
    assert built.rows("select count(*) from {user_favor} where user_id is null") == [(0,)]


def test_a_home_with_only_likes_builds_all_models(sample: Any) -> None:
    assert sample.rows("select user_id, event_count, like_count from {dim_users}") == [(ANNA, 3, 3)]
    assert sample.rows("select place_id, category_codes, district_code from {place}") == [
        ("p1", [], "")
    ]


def test_a_build_says_nothing_of_warnings(mixed: Any, films: Any) -> None:
    for built in (mixed, films):
        assert "WARN=0 ERROR=0 SKIP=0" in built.output
        assert "warning" not in built.output.lower()
        assert "deprecat" not in built.output.lower()
