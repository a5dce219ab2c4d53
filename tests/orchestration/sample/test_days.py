"""What is told on the days after the year."""

from collections import Counter
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.data.split import SHORTEST_LESSON
from orchestration.model.retraining.data_drift import distance
from orchestration.model.retraining.policy import POLICY_FILE, load_policy
from orchestration.sample.city import CATEGORIES, City
from orchestration.sample.dates import DAY_MS
from orchestration.sample.days import DRIFTS_FROM, Day, day_of
from orchestration.sample.fashion import in_fashion
from orchestration.sample.life import LAST_DAY
from orchestration.sample.past import Past, Size, past_of

LAST = int(LAST_DAY.astype("datetime64[D]").astype("datetime64[ms]").astype(np.int64))
NUMBERS = st.integers(1, 6)
CITIES = st.sampled_from([Size.of(1, users=1, places=1), Size.of(40, users=3), Size.of(1500)])


@cache
def some_past(seed: int, size: Size) -> Past:
    return past_of(seed, size)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 3), CITIES, NUMBERS)
def test_what_is_told_of_a_day_happened_on_it_but_for_late_lines(seed, size, number) -> None:
    day = day_of(some_past(seed, size), number)
    begins, ends = LAST + number * DAY_MS, LAST + (number + 1) * DAY_MS
    at = day.on_time.visits.at
    assert ((begins <= at) & (at < ends)).all()
    assert (np.diff(at) >= 0).all()
    assert (day.late.visits.at < begins).all()
    assert (day.late.visits.at >= begins - 6 * DAY_MS).all()
    assert (day.late.visits.place < size.places).all()
    taken_back = day.deleted.visits.at
    assert ((begins <= taken_back) & (taken_back < ends)).all()
    assert len(day.late.numbers) >= 2


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 3), CITIES)
def test_ids_are_told_once_but_for_those_of_the_year_that_are_corrected_or_deleted(
    seed, size
) -> None:
    past = some_past(seed, size)
    days = [day_of(past, number) for number in range(1, 5)]
    new = [number for day in days for part in (day.on_time, day.late) for number in part.numbers]
    assert len(set(new)) == len(new)
    assert min(new) > len(past.visits.user)
    changed = [
        (bool(is_like), number)
        for day in days
        for part in (day.corrected, day.deleted)
        for is_like, number in zip(part.is_like, part.numbers, strict=True)
    ]
    assert len(set(changed)) == len(changed)
    likes = int(past.is_like.sum())
    for is_like, number in changed:
        assert 0 <= number < (likes if is_like else len(past.visits.user) - likes)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 3), CITIES, NUMBERS)
def test_a_day_can_be_had_again(seed, size, number) -> None:
    one, other = (day_of(past_of(seed, size), number) for _ in range(2))
    for part in ("on_time", "late", "corrected", "deleted"):
        first, second = getattr(one, part), getattr(other, part)
        assert first.numbers == second.numbers
        assert (first.visits.at == second.visits.at).all()
        assert (first.visits.place == second.visits.place).all()


def test_a_correction_tells_of_the_same_visit_at_another_time() -> None:
    past = some_past(0, Size.of(1500))
    corrected = day_of(past, 1).corrected
    of_kind = {True: past.visits.of(past.is_like), False: past.visits.of(~past.is_like)}
    assert len(corrected.numbers) > 0
    for nth, (is_like, number) in enumerate(zip(corrected.is_like, corrected.numbers, strict=True)):
        was = of_kind[bool(is_like)]
        assert corrected.visits.user[nth] == was.user[number]
        assert corrected.visits.place[nth] == was.place[number]
        assert 0 < abs(corrected.visits.at[nth] - was.at[number]) < 60 * 60_000


def test_what_is_changed_lies_far_before_what_a_model_is_tested_on() -> None:
    past = some_past(0, Size.of(1500))
    cut = np.quantile(past.visits.at, 0.9)
    known = past.visits.of(past.visits.at < cut)
    # Its validation takes at most four of each person's last.
    for number in range(1, 5):
        day = day_of(past, number)
        for part in (day.corrected, day.deleted):
            was = _as_told(past, part)
            for user, at in zip(part.visits.user, was, strict=True):
                since = known.at[known.user == user]
                assert (since > at + 60 * 60_000).sum() > 4 + SHORTEST_LESSON


def _as_told(past: Past, part) -> list[int]:
    of_kind = {True: past.visits.of(past.is_like), False: past.visits.of(~past.is_like)}
    return [
        int(of_kind[bool(is_like)].at[number])
        for is_like, number in zip(part.is_like, part.numbers, strict=True)
    ]


def test_a_place_opens_each_day_and_people_go_there() -> None:
    past = some_past(0, Size.of(1500))
    places = len(past.world.city.category)
    for number in (1, 2, 3):
        day = day_of(past, number)
        assert len(day.world.city.category) == places + number
        newest = places + number - 1
        assert (day.on_time.visits.place == newest).sum() >= 2
        assert day.on_time.visits.place.max() == newest


def _categories(city: City, places: np.ndarray) -> Counter[str]:
    codes = np.concatenate([city.category[places], city.second_category[places]])
    return Counter(CATEGORIES[code] for code in codes[codes >= 0])


def _drift(past: Past, days: list[Day]) -> float:
    visited = np.concatenate([day.on_time.visits.place for day in days])
    learned = _categories(past.world.city, past.visits.place)
    newest = _categories(days[-1].world.city, visited)
    return distance({code: (learned[code], newest[code]) for code in {*learned, *newest}})


def test_taste_drifts_from_the_day_that_is_told_so_far_that_the_policy_sees_it() -> None:
    past = some_past(0, Size.of(120_000))
    days = [day_of(past, number) for number in range(1, DRIFTS_FROM + 3)]
    asked = load_policy(POLICY_FILE).retrain
    before, all_days = days[: DRIFTS_FROM - 1], days
    assert [day.drifts for day in before] == [False] * len(before)
    assert all(day.drifts for day in days[DRIFTS_FROM - 1 :])
    assert _drift(past, before) < asked.drift / 2
    assert _drift(past, all_days) > asked.drift
    told = sum(len(day.on_time.numbers) + len(day.late.numbers) for day in all_days)
    # Drift alone calls for a training then: the days are few.
    assert asked.least_events < told < asked.new_events * 120_000
    visited = _categories(days[-1].world.city, days[-1].on_time.visits.place)
    assert {code for code, _ in visited.most_common(2)} == set(in_fashion(past))
