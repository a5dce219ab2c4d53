"""The request path without HTTP, on the real model, Feast and vault."""

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import redis

from serving.answers import Answers
from serving.index import newest
from serving.messages import (
    RecommendPlacesAnswer,
    RecommendPlacesQuestion,
    SimilarUsersAnswer,
    SimilarUsersQuestion,
)
from serving.vault import Vault
from tests.serving.city import FORGOTTEN, HIDDEN, KNOWN_AT, NEW_PLACE, PLACES, USERS, City, favor

CAFE_GOERS, BAR_GOERS = set(USERS[:20]), set(USERS[20:])


def similar(answers: Answers, user_id: str | int, limit: int = 10) -> SimilarUsersAnswer:
    return answers.similar_users(SimilarUsersQuestion(user_id=user_id, limit=limit))


def places(answers: Answers, user_id: str, **wanted: object) -> RecommendPlacesAnswer:
    question = RecommendPlacesQuestion.model_validate({"user_id": user_id} | wanted)
    return answers.recommend_places(question)


def from_the_model(answers: Answers, user_id: str) -> RecommendPlacesAnswer:
    """Ask until the model answers: on a busy machine Redis may miss its 50 ms now and then."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = places(answers, user_id)
        if answer.strategy == "model":
            return answer
    pytest.fail("the online store never answered in time")


def ids(answer: SimilarUsersAnswer) -> list[str]:
    return [user.user_id for user in answer.users]


@pytest.fixture(scope="module")
def answers(finished_city: City) -> Answers:
    return finished_city.answers()


def test_people_of_the_same_taste_come_first(answers: Answers) -> None:
    for asker, alike in (("1000", CAFE_GOERS), ("1030", BAR_GOERS)):
        found = ids(similar(answers, asker))
        assert len(found) == 10
        assert len(set(found) & alike) >= 8


def test_an_answer_says_how_it_came_about(answers: Answers, finished_city: City) -> None:
    answer = similar(answers, "1000", limit=3)
    assert answer.release_id == finished_city.release.release_id
    assert answer.index_id == answers.index.index_id
    assert (answer.strategy, answer.degraded) == ("model", False)
    assert len(answer.request_id) == 32
    assert answer.feature_age_s is not None
    assert answer.feature_age_s > 0
    took = answer.took_ms
    assert took.total >= max(took.features, took.model, took.search, took.filter) > 0
    assert [user.rank for user in answer.users] == [1, 2, 3]
    scores = [user.score for user in answer.users]
    assert scores == sorted(scores, reverse=True)


def test_the_age_of_the_features_is_told_by_the_clock(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMATE_NOW", KNOWN_AT.replace(hour=13).isoformat())
    assert similar(answers, "1000").feature_age_s == pytest.approx(3600)


def test_nobody_is_like_themselves(answers: Answers) -> None:
    for user in USERS:
        assert user not in ids(similar(answers, user, limit=100))


def test_a_number_means_the_same_as_its_digits(answers: Answers) -> None:
    assert ids(similar(answers, 1000)) == ids(similar(answers, "1000"))


def test_everybody_who_may_be_shown_is_found_once(answers: Answers) -> None:
    found = ids(similar(answers, "1000", limit=100))
    assert sorted(found) == sorted(set(USERS) - {"1000", HIDDEN, FORGOTTEN})


def test_who_is_not_discoverable_may_still_ask(answers: Answers) -> None:
    assert similar(answers, HIDDEN).strategy == "model"
    assert len(similar(answers, HIDDEN).users) == 10


def test_withdrawn_consent_works_before_the_next_index(city: City) -> None:
    answers = city.answers()
    first = ids(similar(answers, "1000", limit=5))
    city.favors[first[0]]["is_discoverable"] = False
    city.publish()
    assert ids(similar(answers, "1000", limit=4)) == first[1:]


def test_a_page_is_full_however_many_have_withdrawn(city: City) -> None:
    answers = city.answers()
    order = ids(similar(answers, "1000", limit=100))
    for user in order[:30]:
        city.favors[user]["is_discoverable"] = False
    city.publish()
    assert ids(similar(answers, "1000", limit=3)) == order[30:33]


def test_similar_people_come_with_what_is_shared(answers: Answers, finished_city: City) -> None:
    own = finished_city.favors["1000"]["event_place_ids"]
    for user in similar(answers, "1000").users:
        theirs = finished_city.favors[user.user_id]["event_place_ids"]
        reasons = {reason.kind: reason for reason in user.reasons}
        shared = reasons["shared_places"]
        assert shared.kind == "shared_places"
        assert shared.count == len(set(own) & set(theirs))
        assert set(shared.place_ids) <= set(own) & set(theirs)
        assert len(shared.place_ids) == min(5, shared.count)
        categories = reasons["shared_categories"]
        assert categories.kind == "shared_categories"
        assert set(categories.category_codes) <= {"any", "cafe", "bar"}


def test_a_stranger_gets_nobody_and_what_is_popular(answers: Answers) -> None:
    people = similar(answers, "nobody knows me")
    assert (people.strategy, people.degraded, people.users) == ("unknown_user", False, [])
    where = places(answers, "nobody knows me", limit=5)
    assert (where.strategy, where.degraded, where.feature_age_s) == ("popular", False, None)
    counts = dict(zip(answers.catalogue.place_ids, answers.catalogue.event_counts, strict=True))
    best = sorted(counts.values(), reverse=True)[:5]
    assert [counts[place.place_id] for place in where.places] == best
    assert {reason.kind for place in where.places for reason in place.reasons} == {"popular"}


def test_a_user_without_any_event_is_answered_like_a_stranger(city: City) -> None:
    city.favors["1000"] = favor("1000", [])
    city.publish()
    answers = city.answers()
    assert similar(answers, "1000").strategy == "unknown_user"
    assert places(answers, "1000").strategy == "popular"


def test_who_knows_only_places_that_the_release_does_not_has_nobody_near(city: City) -> None:
    city.favors["1000"] = favor("1000", ["opened-yesterday"])
    city.publish()
    people = similar(city.answers(), "1000")
    assert (people.strategy, people.users) == ("unknown_user", [])


def test_places_are_new_to_the_user_unless_asked_otherwise(
    answers: Answers, finished_city: City
) -> None:
    known = set(finished_city.favors["1000"]["event_place_ids"])
    fresh = {place.place_id for place in places(answers, "1000", limit=100).places}
    assert fresh == set(answers.catalogue.place_ids) - known
    every = places(answers, "1000", limit=100, include_visited=True).places
    assert {place.place_id for place in every} == set(answers.catalogue.place_ids)
    visited = {place.place_id for place in every if place.reasons[0].kind == "visited_before"}
    assert visited == known & set(answers.catalogue.place_ids)


def test_places_can_be_narrowed_to_a_category_and_a_district(answers: Answers) -> None:
    found = places(answers, "1000", limit=100, category_code="bar", district_code="d0").places
    assert found
    for place in found:
        assert "bar" in place.category_codes
        assert place.district_code == "d0"
    assert places(answers, "1000", category_code="bar").hint is None


def test_where_no_place_is_left_a_hint_says_why(answers: Answers) -> None:
    typo = places(answers, "1000", category_code="bra")
    assert typo.places == []
    assert typo.hint == "No place of this release is of the category 'bra'. Is 'bar' meant?"
    nowhere = places(answers, "1000", category_code="bar", district_code="far away")
    assert nowhere.hint == "No place of this release is in the district 'far away'."


def test_places_come_with_what_links_them(answers: Answers, finished_city: City) -> None:
    own = finished_city.favors["1000"]["event_place_ids"]
    for place in places(answers, "1000", limit=5).places:
        reasons = {reason.kind: reason for reason in place.reasons}
        same = reasons["same_category"]
        assert same.kind == "same_category"
        assert set(same.category_codes) <= set(place.category_codes)
        assert set(same.place_ids) <= set(own)


def test_an_event_at_a_place_that_the_release_does_not_know_counts(city: City) -> None:
    city.favors["1000"] = favor("1000", [NEW_PLACE])
    city.publish()
    answer = places(city.answers(), "1000", limit=1)
    assert answer.strategy == "model"
    assert answer.places[0].reasons[0].kind == "same_category"


def test_new_events_change_that_users_answer_and_no_other(city: City) -> None:
    answers = city.answers()
    before = {user: places(answers, user) for user in ("1000", "1001")}
    city.favors["1000"] = favor("1000", PLACES[1::2])
    city.publish()
    after = {user: places(answers, user) for user in ("1000", "1001")}
    assert after["1000"].release_id == before["1000"].release_id
    assert after["1000"].places != before["1000"].places
    assert after["1001"].places == before["1001"].places


@pytest.mark.redis
def test_a_value_changed_in_redis_by_hand_changes_the_next_answer(
    city: City, redis_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = redis_server.url
    monkeypatch.setenv("TASTEMATE_ONLINE", url)
    client = redis.Redis(port=redis_server.port)
    client.flushall()
    city.publish(url)
    answers = city.answers()
    before = from_the_model(answers, "1000")

    def key_of(user: str) -> bytes:
        (key,) = client.keys(b"*" + city.pseudonym(user).encode() + b"*")
        return bytes(key)

    lent = client.hgetall(key_of("1030"))
    client.hset(key_of("1000"), mapping=dict(lent))
    after = from_the_model(answers, "1000")
    lender = from_the_model(answers, "1030")
    assert [p.place_id for p in after.places] == [p.place_id for p in lender.places]
    assert after.places != before.places


def test_a_service_has_answered_before_anybody_asks(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, bool]] = []

    def listening(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any) -> Any:
            answer = ask(*arguments)
            told.append((answer.strategy, answer.degraded))
            return answer

        return asked

    for question in ("similar_users", "recommend_places"):
        monkeypatch.setattr(Answers, question, listening(getattr(Answers, question)))
    # The first of the index may have been forgotten since it was made.
    with closing(Vault.create(city.home)) as vault:
        vault.forget([newest(city.home.indexes, city.release.release_id).users[0].as_py()])
    city.answers()
    assert told == [("model", False)] * 2
    # Nor does it wait for an online store that is away.
    monkeypatch.setenv("TASTEMATE_ONLINE", "redis://127.0.0.1:1/0")
    city.answers()
    assert told[2:] == [("unavailable", True), ("popular", True)]


@pytest.mark.redis
def test_without_the_online_store_a_lower_rung_answers_at_once(
    city: City, redis_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMATE_ONLINE", redis_server.url)
    client = redis.Redis(port=redis_server.port)
    client.flushall()
    city.publish(redis_server.url)
    answers = city.answers()
    from_the_model(answers, "1000")
    pid = client.info("server")["process_id"]
    subprocess.run(["kill", "-STOP", str(pid)], check=True)
    try:
        began = time.monotonic()
        where, people = places(answers, "1000", limit=3), similar(answers, "1000")
        took = time.monotonic() - began
    finally:
        subprocess.run(["kill", "-CONT", str(pid)], check=True)
    assert (where.strategy, where.degraded, where.feature_age_s) == ("popular", True, None)
    assert len(where.places) == 3
    assert (people.strategy, people.degraded, people.users) == ("unavailable", True, [])
    # Redis gets 50 ms for each; its client's own patience would be half a minute.
    assert took < 10
    from_the_model(answers, "1000")


def test_a_release_that_never_saw_a_return_leaves_visited_places_out(
    answers: Answers, finished_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = set(finished_city.favors["1000"]["event_place_ids"])
    monkeypatch.setattr(answers.recommender, "excludes_seen", True)
    found = places(answers, "1000", limit=100, include_visited=True).places
    assert not known & {place.place_id for place in found}


def test_a_release_holds_no_user(finished_city: City) -> None:
    names = [*USERS, *(finished_city.pseudonym(user) for user in USERS)]
    for path in finished_city.release.folder.iterdir():
        content = path.read_bytes()
        for name in names:
            assert f'"{name}"'.encode() not in content
        assert finished_city.pseudonym("1000").encode() not in content


def test_an_answer_is_json(answers: Answers) -> None:
    for answer in (similar(answers, "1000"), places(answers, "1000")):
        assert json.loads(answer.model_dump_json())["strategy"] == "model"
