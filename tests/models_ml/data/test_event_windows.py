"""The past of many windows laid flat: what a loop over them would list."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import SPECIAL_TOKENS, EventTokens

PLACES, EVENTS = 5, 12
windows = st.lists(
    st.tuples(st.integers(0, EVENTS), st.integers(0, EVENTS)).map(sorted), min_size=0, max_size=6
)


def events(places: list[int]) -> EventTokens:
    tokens = np.array(places, np.int64) + SPECIAL_TOKENS
    nothing = np.zeros((0, 1), np.int64)
    return EventTokens(tokens, tokens, np.arange(len(places)) * 1000, nothing, nothing[:, 0])


@given(st.lists(st.integers(0, PLACES), min_size=EVENTS, max_size=EVENTS), windows)
def test_each_event_is_told_with_its_window_and_age(places, chosen):
    bounds = np.array(chosen, np.int64).reshape(-1, 2)
    asked = EventWindows(events(places), bounds[:, 0], bounds[:, 1])
    past = asked.past
    told = list(zip(past.rows, past.places, past.ages, past.ats, strict=True))
    assert told == [
        (row, places[nth], stop - 1 - nth, nth * 1000)
        for row, (start, stop) in enumerate(chosen)
        for nth in range(start, stop)
    ]
    # The place one past the last known is a stranger's, and no column.
    seen = list(zip(*asked.seen(PLACES), strict=True))
    assert seen == [(row, place) for row, place, _, _ in told if place < PLACES]
    latest = {(row, place): age for row, place, age, _ in told}
    assert {(past.rows[nth], past.places[nth]): past.ages[nth] for nth in asked.latest} == latest
    assert len(asked.latest) == len(latest)
