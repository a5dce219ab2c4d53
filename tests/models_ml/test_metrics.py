"""Ranks and metrics, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score

from models_ml import metrics
from models_ml.metrics import (
    MOST_SHARE,
    bootstrap_mean,
    calibration,
    capped_shares,
    fewer_of_each,
    gains,
    largest_share,
    paired_p_values,
    summary,
    target_weights,
    worst_ranks,
)


def test_a_tie_counts_against_ourselves() -> None:
    scores = np.array([[1.0, 1.0, 1.0, 0.0]], dtype=np.float32)
    assert worst_ranks(scores, np.array([0])).tolist() == [3]


def test_a_place_without_a_column_ranks_behind_everything() -> None:
    scores = np.array([[1.0, 2.0]], dtype=np.float32)
    assert worst_ranks(scores, np.array([-1])).tolist() == [3]


def test_a_hidden_place_is_never_found() -> None:
    scores = np.full((1, 3), -np.inf, dtype=np.float32)
    assert worst_ranks(scores, np.array([1])).tolist() == [4]


def test_metrics_are_those_worked_out_by_hand() -> None:
    found = summary(np.array([1, 2, 10, 11]))
    assert found.hr_1 == 0.25
    assert found.hr_10 == 0.75
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 10 + 1 / 11) / 4)
    assert found.ndcg_10 == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 4)
    assert found.n == 4


def test_no_target_is_no_error() -> None:
    assert summary(np.zeros(0, dtype=np.int64)).n == 0


@given(arrays.arrays(np.int64, st.integers(1, 400), elements=st.integers(1, 10**6)))
def test_nobody_has_more_than_a_fiftieth_and_who_has_less_keeps_their_proportions(
    amounts: NDArray[np.int64],
) -> None:
    shares = capped_shares(amounts)
    assert shares.sum() == pytest.approx(1)
    if len(amounts) <= 1 / MOST_SHARE:
        assert shares == pytest.approx(1 / len(amounts))
        return
    assert shares.max() <= MOST_SHARE * (1 + 1e-9)
    is_capped = shares >= MOST_SHARE * (1 - 1e-9)
    assert (amounts[is_capped].min(initial=10**6)) >= (amounts[~is_capped].max(initial=1))
    rate = shares[~is_capped] / amounts[~is_capped]
    assert rate == pytest.approx(rate.mean() if len(rate) else 0)


def test_one_person_of_very_many_targets_weighs_a_fiftieth() -> None:
    people = np.concatenate([np.zeros(5000, np.int64), np.arange(1, 101).repeat(2)])
    weights = target_weights(people)
    assert weights[people == 0].sum() == pytest.approx(MOST_SHARE)
    assert weights[people != 0] == pytest.approx((1 - MOST_SHARE) / 200)
    assert largest_share(people) == pytest.approx(5000 / 5200)
    # Where nobody has too many, each target weighs the same.
    assert target_weights(people[people != 0]) == pytest.approx(1 / 200)


def test_a_sample_has_room_for_others_than_who_has_most() -> None:
    people = np.concatenate([np.zeros(5000, np.int64), np.arange(1, 301).repeat(5)])
    kept = fewer_of_each(np.arange(len(people)), people, 2000)
    assert np.bincount(people[kept])[0] == MOST_SHARE * 2000
    assert (np.bincount(people[kept])[1:] == 5).all()
    assert (np.diff(kept) > 0).all()
    # Where all fit in, or nobody has too many, nothing is left out.
    assert len(fewer_of_each(np.arange(900), people[4500:5400], 2000)) == 900
    assert len(fewer_of_each(np.arange(1500), people[5000:], 1000)) == 1500


def test_the_interval_is_that_of_the_mean_by_weights() -> None:
    values, people = np.arange(200) % 7 / 7, np.arange(200) // 2
    weights = 1.0 + np.arange(200) % 3
    told = bootstrap_mean(values, people, weights)
    assert told.low < values @ weights / weights.sum() < told.high
    repeated = np.repeat(values, weights.astype(int)), np.repeat(people, weights.astype(int))
    assert bootstrap_mean(*repeated) == pytest.approx(told, abs=1e-12) or vars(
        bootstrap_mean(*repeated)
    ) == pytest.approx(vars(told))


def test_the_interval_holds_the_mean_and_resamples_whole_users() -> None:
    ranks = np.array([1, 1, 1, 20, 20, 20])
    of_users = bootstrap_mean(gains(ranks), np.array([0, 0, 0, 1, 1, 1]))
    assert (of_users.low, of_users.high) == (0.0, 1.0)
    many = np.tile(gains(ranks), 20)
    of_events = bootstrap_mean(many, np.arange(120))
    of_groups = bootstrap_mean(many, np.repeat(np.arange(12), 10))
    assert of_events.low <= 0.5 <= of_events.high
    assert of_groups.low <= 0.5 <= of_groups.high
    assert of_groups != of_events


def test_intervals_of_few_people_hold_the_mean_as_often_as_they_say() -> None:
    """Gains of a small slice: mostly nothing, of 1 to 5 targets a person."""
    generator = np.random.default_rng(0)

    def people(count: int) -> tuple[np.ndarray, np.ndarray]:
        whose = np.repeat(np.arange(count), generator.integers(1, 6, count))
        chance = generator.beta(1.2, 3, count)[whose]
        ranks = generator.integers(1, 11, len(whose))
        return np.where(generator.random(len(whose)) < chance, gains(ranks), 0.0), whose

    mean = people(200_000)[0].mean()
    held = [
        told.low <= mean <= told.high for told in (bootstrap_mean(*people(20)) for _ in range(1000))
    ]
    # Percentiles of the draws held it in .915.
    assert 0.935 <= np.mean(held) <= 0.965


def test_where_nobody_differs_the_interval_is_a_point() -> None:
    told = bootstrap_mean(np.full(12, 0.25), np.arange(12) // 2)
    assert (told.low, told.high) == (0.25, 0.25)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(11, 30))
def test_metrics_are_those_of_scikit_learn(seed: int, targets: int, places: int) -> None:
    generator = np.random.default_rng(seed)
    # Without ties, which scikit-learn shares out and we count against ourselves.
    scores = generator.permuted(np.tile(np.arange(places), (targets, 1)), axis=1)
    wanted = generator.integers(0, places, size=targets)
    is_wanted = np.arange(places) == wanted[:, None]
    found = summary(worst_ranks(scores.astype(np.float32), wanted))
    assert found.ndcg_10 == pytest.approx(ndcg_score(is_wanted, scores, k=10))
    assert found.mrr == pytest.approx(label_ranking_average_precision_score(is_wanted, scores))
    for k in (1, 10):
        hits = top_k_accuracy_score(wanted, scores, k=k, labels=np.arange(places))
        assert getattr(found, f"hr_{k}") == pytest.approx(hits)


def test_the_p_value_is_the_share_of_swaps_that_part_two_methods_as_far() -> None:
    # Of the 16 ways to give four equal differences a sign, two are as far apart as all alike.
    # One that is no way apart is told beside another as by itself.
    told = paired_p_values([np.ones(4), np.zeros(4)], np.arange(4))
    assert told == [pytest.approx(2 / 16, abs=0.01), 1.0]
    # Two people, however many targets each: half of the four ways.
    assert paired_p_values([np.ones(8)], np.repeat([0, 1], 4))[0] == pytest.approx(0.5, abs=0.02)
    assert paired_p_values([np.ones(100)], np.arange(100)) == [pytest.approx(1 / 10_001)]
    assert paired_p_values([np.ones(0)], np.arange(0)) == [1.0]


def test_many_people_are_resampled_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    values, people = np.random.default_rng(0).normal(size=300), np.arange(300) // 2
    kept = bootstrap_mean(values, people)
    monkeypatch.setattr(metrics, "_GROUPS_KEPT", 10)
    again = bootstrap_mean(values, people)
    assert (again.low, again.high) == pytest.approx((kept.low, kept.high))


def test_chances_that_come_true_as_often_as_stated_have_no_error() -> None:
    confidences = np.repeat([0.2, 0.8], 50)
    is_right = np.concatenate([np.arange(50) % 5 == 0, np.arange(50) % 5 != 0])
    assert calibration(confidences, is_right).error == pytest.approx(0.0)
    assert calibration(confidences, ~is_right).error == pytest.approx(0.6)
