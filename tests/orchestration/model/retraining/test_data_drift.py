import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.model.retraining.data_drift import Counts, distance

counted = st.dictionaries(
    st.text("abc", min_size=1, max_size=4),
    st.tuples(st.integers(0, 1000), st.integers(0, 1000)),
    max_size=200,
)


@given(counted)
def test_a_distance_lies_between_none_and_all(counts: Counts) -> None:
    assert 0 <= distance(counts) <= 1


@given(counted, st.integers(1, 50))
def test_the_same_shares_are_no_drift(counts: Counts, times: int) -> None:
    same = {code: (learned, learned * times) for code, (learned, _) in counts.items()}
    assert distance(same) == pytest.approx(0, abs=1e-7)


def test_shares_that_have_nothing_in_common_are_as_far_apart_as_can_be() -> None:
    assert distance({"cafe": (10, 0), "bar": (0, 10)}) == pytest.approx(1)
    assert distance({"cafe": (99, 0), "bar": (1, 10)}) == pytest.approx(1, abs=0.1)


def test_it_is_what_lin_defined() -> None:
    # Of (3/4, 1/4) and (1/4, 3/4): the root of 1 - H(3/4, 1/4) bits.
    assert distance({"cafe": (75, 25), "bar": (25, 75)}) == pytest.approx(0.43439, abs=1e-4)


def test_thousands_of_codes_with_few_events_each_are_no_drift_by_luck() -> None:
    counts = {f"place{n}": (10, n % 2) for n in range(2000)}
    assert distance(counts) < 0.05


def test_what_was_never_learned_is_drift() -> None:
    known = {f"place{n}": (10, 10) for n in range(100)}
    assert distance({**known, "new": (0, 1000)}) > 0.3
