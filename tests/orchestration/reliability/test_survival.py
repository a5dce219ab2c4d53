import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration.reliability.survival import (
    Check,
    Curve,
    HistoryError,
    naive,
    propose,
    upper_bound,
)

STEADY = [Check(gap, 500_000, round(500_000 * 1e-4 * gap / 4)) for gap in (0.5, 1, 2, 4, 8)]


def test_of_no_wrong_row_the_bound_is_the_rule_of_three():
    assert upper_bound(0, 400_000, 0.95) == pytest.approx(3 / 400_000, rel=2e-3)


def test_without_wrong_rows_the_longest_gap_seen_is_proposed():
    proposal = propose([Check(gap, 400_000, 0) for gap in (1, 2, 7)])
    assert (proposal.days, proposal.estimate, proposal.basis) == (7, 0, "counts")


def test_few_rows_without_a_wrong_one_prove_little():
    proposal = propose([Check(1.0, 100, 0)])
    # -ln(0.01) / 100 rows bound the share by about 4.5 %.
    assert proposal.basis == "constant hazard"
    assert proposal.days == pytest.approx(1e-4 / (1 - 0.01 ** (1 / 100)))


def test_a_steady_hazard_is_found_again():
    proposal = propose(STEADY)
    assert proposal.basis == "curve"
    assert 4 / 1.5 < proposal.days < 4
    assert proposal.bound == pytest.approx(1e-4, rel=0.02)


def test_newtons_steps_lead_where_lifelines_own_search_leads():
    from lifelines import SplineFitter

    gaps = np.array([check.gap for check in STEADY])
    wrong, rows = (np.array([getattr(c, of) for c in STEADY]) for of in ("wrong", "rows"))
    stock = SplineFitter([0.5, 8]).fit_interval_censoring(
        np.concatenate([0 * gaps, gaps]),
        np.concatenate([gaps, np.full(5, np.inf)]),
        weights=np.concatenate([wrong, rows - wrong]),
        initial_point=np.array([-10.5, 1.0]),
    )
    theirs = 1 - stock.survival_function_at_times(gaps).to_numpy()
    assert Curve(STEADY, 2).share(gaps) == pytest.approx(theirs, rel=1e-3)


def test_counts_that_scatter_more_than_independent_rows_widen_the_bound():
    wrong = {1: (2, 40), 2: (5, 70), 4: (30, 170)}
    curve = Curve([Check(gap, 500_000, n) for gap, both in wrong.items() for n in both], 2)
    assert curve.scatter > 5
    wide = curve.bound(np.array([2.0]))
    curve.scatter = 1.0
    assert wide > curve.bound(np.array([2.0]))


def test_naive_estimates_err_to_both_sides():
    checks = [Check(1, 1000, 1), Check(2, 1000, 3)]
    # Of 4 wrong rows, a quarter by day 1; of 2000 rows, 1 by day 1 and 4 by day 2.
    assert naive(checks, 0.125, censored="dropped") == 0.5
    assert naive(checks, 0.001, censored="good") == pytest.approx(1 + 1 / 3)
    assert naive(checks, 0.01, censored="good") == 2


def test_without_checks_the_error_says_how_to_get_some():
    with pytest.raises(HistoryError, match="tastemate parity"):
        propose([])


counts = st.lists(st.integers(0, 60), min_size=5, max_size=5)


def history(wrong: list[int]) -> list[Check]:
    return [Check(gap, 500_000, n) for gap, n in zip((0.5, 1, 2, 4, 8), wrong, strict=True)]


def days(checks: list[Check], target: float = 1e-4) -> float:
    try:
        return propose(checks, target).days
    except HistoryError:
        return 0.0


@settings(max_examples=8, deadline=None)
@given(counts, st.floats(1.1, 4))
@example([1, 12, 2, 49, 23], 2.0)
def test_a_laxer_target_never_shortens_the_interval(wrong: list[int], factor: float):
    assert days(history(wrong), 1e-4 * factor) >= days(history(wrong)) * 0.99


@settings(max_examples=8, deadline=None)
@given(counts)
def test_the_bound_is_never_below_the_estimate_nor_the_interval_above_the_longest_gap(wrong):
    checks = history(wrong)
    try:
        proposal = propose(checks)
    except HistoryError:
        return
    assert proposal.estimate <= proposal.bound <= 1e-4 * (1 + 1e-6)
    assert 0 < proposal.days <= 8


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 40), st.integers(1, 40))
def test_as_many_more_wrong_rows_everywhere_never_lengthen_the_interval(few: int, more: int):
    def of(rate: int) -> float:
        return days([Check(gap, 500_000, round(rate * gap)) for gap in (1, 2, 4, 8)])

    assert of(few + more) <= of(few) * 1.01
    assert math.isfinite(of(few))
