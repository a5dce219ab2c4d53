"""Counting in many windows at once gives what counting one after the other does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.baselines import counts_at_once
from models_ml.baselines.counts import Counting, Counts
from models_ml.baselines.counts_at_once import shares_at_once
from models_ml.baselines.item_neighbours import Neighbours
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import SPECIAL_TOKENS, EventTokens

PLACES, EVENTS = 4, 80
HOUR = 3_600_000_000


@st.composite
def counted(draw) -> Counts:
    weights = draw(
        st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=PLACES**2, max_size=PLACES**2)
    )
    every = np.array(weights, np.float32).reshape(PLACES, PLACES)
    froms, places = np.nonzero(every)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(froms, minlength=PLACES))])
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    counting = Counting(
        "co_occurrence", own=share, follow=1 - share,
        own_age=draw(st.sampled_from([2.0, 50.0])), own_next=draw(st.sampled_from([0.0, 4.0])),
        own_hour=draw(st.sampled_from([0.0, 1.0])), follow_power=draw(st.sampled_from([0.5, 2.0])),
    )  # fmt: skip
    return Counts(counting, Neighbours(offsets, places.astype(np.int32), every[froms, places]))


# A place, the next one past the known as a stranger; windows as long as to reach beyond the
# events that are followed.
@given(
    counted(),
    st.lists(st.integers(0, PLACES), min_size=EVENTS, max_size=EVENTS),
    st.lists(st.tuples(st.integers(0, EVENTS), st.integers(0, EVENTS)).map(sorted), max_size=5),
)
@settings(deadline=None)
def test_shares_are_those_of_one_window_after_the_other(counts, places, chosen):
    tokens = np.array(places, np.int64) + SPECIAL_TOKENS
    nothing = np.zeros((0, 1), np.int64)
    ats = np.arange(EVENTS) ** 2 * HOUR
    events = EventTokens(tokens, tokens, ats, nothing, nothing[:, 0])
    bounds = np.array(chosen, np.int64).reshape(-1, 2)
    wanted = counts.shares(events, bounds[:, 0], bounds[:, 1])
    asked = EventWindows(events, bounds[:, 0], bounds[:, 1])
    assert shares_at_once(counts, asked) == pytest.approx(wanted, abs=1e-5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(counts_at_once, "MOST_PLACES", 0)
        assert shares_at_once(counts, asked) == pytest.approx(wanted, abs=1e-5)
