"""Ranks and metrics, by hand."""

import math

import numpy as np
import pytest

from models_ml.metrics import bootstrap_mean, gains, summary, worst_ranks


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
    assert found["hr_1"] == 0.25
    assert found["hr_10"] == 0.75
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 10 + 1 / 11) / 4)
    assert found["ndcg_10"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 4)
    assert found["n"] == 4


def test_no_target_is_no_error() -> None:
    assert summary(np.zeros(0, dtype=np.int64))["n"] == 0


def test_the_interval_holds_the_mean_and_resamples_whole_users() -> None:
    ranks = np.array([1, 1, 1, 20, 20, 20])
    of_users = bootstrap_mean(gains(ranks), np.array([0, 0, 0, 1, 1, 1]))
    of_events = bootstrap_mean(gains(ranks), np.arange(6))
    assert of_users.low <= 0.5 <= of_users.high
    assert (of_users.low, of_users.high) == (0.0, 1.0)
    assert of_events.high - of_events.low < 1.0
