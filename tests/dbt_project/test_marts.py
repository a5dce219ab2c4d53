"""Events, users, places and moments."""

from datetime import UTC, datetime
from typing import Any

from tests.dbt_project.worlds import ANNA, BERT


def test_a_correction_replaces_the_event_and_is_known_from_then_on(mixed: Any) -> None:
    rows = mixed.rows(
        "select place_id, event_at, known_at from {fct_events} where event_id = 'shops:events:1'"
    )
    # Ten o'clock in New York.
    assert rows == [
        ("s9", datetime(2024, 1, 1, 15, tzinfo=UTC), datetime(2024, 2, 1, 3, tzinfo=UTC))
    ]


def test_consent_follows_what_was_said_last_and_is_given_by_default(mixed: Any) -> None:
    users = mixed.rows("select user_id, is_discoverable from {dim_users} order by user_id")
    assert users == [(ANNA, True), (BERT, False)]


def test_every_place_that_anything_names_is_there_in_its_newest_form(mixed: Any) -> None:
    places = mixed.rows(
        "select place_id, category_codes, district_code, latitude, event_count "
        "from {dim_places} where length(place_id) = 2 order by place_id"
    )
    assert places == [
        ("p3", ["pub"], "d2", None, 1),
        ("p5", [], None, 1.5, 0),
        ("s1", [], "872a1072bffffff", 40.7, 0),
        ("s2", [], None, None, 1),
        ("s9", [], None, None, 1),
    ]


def test_a_source_with_only_an_order_gets_synthetic_times(films: Any) -> None:
    rows = films.rows(
        "select epoch(event_at)::bigint, known_at = event_at, is_time_synthetic, rating "
        "from {fct_events} order by event_at limit 2"
    )
    start = 946_684_800
    assert rows == [(start, True, True, 4.0), (start + 1800, True, True, 4.0)]
    assert films.rows("select category_codes from {place} where place_id = '0'") == [
        (["Comedy", "War, old"],)
    ]


def test_what_is_known_at_the_fixed_moment_is_seen_and_nothing_after(films: Any) -> None:
    assert films.rows("select place_id from {fct_events} order by event_at") == [
        (str(n),) for n in range(5)
    ]
    moment = datetime(2000, 1, 1, 2, tzinfo=UTC)
    assert films.rows("select as_of from {feature_moments} where purpose = 'current'") == [
        (moment,)
    ]
    # All lines of a file that is known count, those of later events too.
    assert films.rows(
        "select sum(accepted)::int from {fct_landed_files} where kind = 'events'"
    ) == [(7,)]


def test_timestamps_are_handed_on_in_microseconds_of_utc(mixed: Any) -> None:
    import pyarrow.parquet as pq

    for folder, model in (("marts", "fct_events"), ("features", "user_favor")):
        schema = pq.read_schema(mixed.home / folder / f"{model}.parquet")
        assert str(schema.field("known_at").type) == "timestamp[us, tz=UTC]"
