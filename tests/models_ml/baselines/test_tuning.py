"""Tuning: one setting after the other, asked once each."""

from hypothesis import given
from hypothesis import strategies as st

from models_ml.baselines.tuning import Settings, climb

AXES = {"first": (0.0, 1.0, 2.0, 3.0), "second": (0.0, 1.0, 2.0)}
START = {"first": 0.0, "second": 2.0}


def test_settings_that_do_not_depend_on_each_other_are_found_whole():
    best = climb(START, AXES, lambda told: -abs(told["first"] - 2) - abs(told["second"] - 1))
    assert best == {"first": 2.0, "second": 1.0}


def test_one_that_depends_on_another_is_tried_again():
    # The second is best at 1 while the first is 0, at 0 once that is 3.
    told = {(0, 1): 1.0, (3, 1): 2.0, (3, 0): 3.0}
    axes = {"second": (0.0, 1.0), "first": (0.0, 3.0)}
    best = climb(START, axes, lambda one: told.get((one["first"], one["second"]), 0.0))
    assert best == {"first": 3.0, "second": 0.0}


@given(st.dictionaries(st.tuples(st.sampled_from(AXES["first"]), st.sampled_from(AXES["second"])),
                       st.floats(0, 1)))  # fmt: skip
def test_what_is_found_is_no_worse_than_any_neighbour_and_nothing_is_asked_twice(told):
    asked = []

    def quality(settings: Settings) -> float:
        asked.append(tuple(settings.values()))
        return told.get(tuple(settings.values()), 0.5)

    best = climb(START, AXES, quality)
    assert len(asked) == len(set(asked))
    assert quality(best) >= quality(START)
    for name, values in AXES.items():
        assert all(quality(best) >= quality({**best, name: value}) for value in values)


def test_nothing_to_tune_is_left_as_it_is():
    assert climb(START, AXES, lambda _: 0.0) == START
