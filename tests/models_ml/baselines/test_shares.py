"""Each share of a linear sum of counts, on a world small enough to count by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.baselines.share_counting import count_shares
from models_ml.baselines.share_tables import ShareTables
from models_ml.baselines.shares import AFTER_EVENTS, POPULAR, Shares
from models_ml.baselines.tuning import Fit
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import History
from models_ml.data.training_set import read_training_set
from tests.models_ml.conftest import write_training_set

DAY = 24 * 60
LATER = [("ax", 200 * DAY), ("ax", 201 * DAY)]
# Cafés and bars, in two districts: a and b.
KINDS = {"ax": ["cafe"], "ay": ["bar"], "bx": ["cafe"], "by": ["bar", "cafe"]}
CHOICES = {
    "ann": [("ax", 1), ("ay", 2), ("ax", 3), ("ay", 4), *LATER],
    "bob": [("bx", 1), ("by", 2), ("bx", 100 * DAY), *LATER],
    "cem": [("bx", 5), ("ax", 100 * DAY), *LATER],
}
CO_OCCURRENCE = {"own": 0.5, "follow_power": 1.0, "power_from": 0.0, "power_to": 0.0,
                 "lag_power": 1.0}  # fmt: skip


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    folder = tmp_path_factory.mktemp("four")
    return Fit(read_training_set(write_training_set(folder, CHOICES, 150 * DAY, KINDS)))


@pytest.fixture(scope="module")
def tables(fit: Fit) -> ShareTables:
    return count_shares(fit, fit.known, CO_OCCURRENCE)


Says = Callable[..., dict[str, float]]


@pytest.fixture
def says(tables: ShareTables) -> Says:
    """Tell what one share gives to each place after some visits, zeros left out."""

    def say(
        name: str, *places: str, hours: list[int] | None = None, **elsewhere: tuple[list[str], str]
    ) -> dict[str, float]:
        ats = [hour * 3_600_000_000 for hour in hours or range(len(places))]
        history = History(list(places), ["visit"] * len(places), ats, unknown_places=elsewhere)
        events, offsets = tables.vocabulary.encode([history])
        (told,) = Shares(tables, EventWindows(events, offsets[:-1], offsets[1:])).summed({name: 1})
        names = tables.vocabulary.places.place_ids
        return {place: share for place, share in zip(names, told.tolist(), strict=True) if share}

    return say


def shared(**parts: float) -> object:
    return pytest.approx(parts, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "places", "wanted"),
    [
        ("own", ["ax", "ax", "by"], {"ax": 2 / 3, "by": 1 / 3}),
        ("own", [], {}),
        ("own", ["elsewhere"], {}),
        ("own_after_place", ["ax", "bx", "ax", "ay", "ax"], {"bx": 0.495, "ay": 0.505}),
        ("own_after_place", ["ax", "bx"], {}),
        # Both cafés, so that what came after either counts.
        ("own_after_category", ["ax", "by", "bx"], {"by": 1.0}),
        ("after_last", ["bx", "ax"], {"ay": 1.0}),
        ("after_last", ["ax", "bx"], {"ax": 0.5, "by": 0.5}),
        ("after_lately", ["ax", "bx"], {"ay": 1 / 3, "ax": 1 / 3, "by": 1 / 3}),
        # Of two in its history one came right after it, one two later; as co_occurrence has it.
        ("near_last", ["ay"], {"ax": 2 / 3, "ay": 1 / 3}),
        ("district", ["ax"], {"ax": 0.6, "ay": 0.4}),
        ("own_district", ["by"], {"bx": 0.75, "by": 0.25}),
        ("own_district", ["ax", "elsewhere"], {"ax": 0.6, "ay": 0.4}),
        ("popular", [], {"ax": 1 / 3, "ay": 2 / 9, "bx": 1 / 3, "by": 1 / 9}),
        ("popular_30", [], {"ax": 0.5, "bx": 0.5}),
        ("first", [], {"ax": 1 / 3, "bx": 2 / 3}),
    ],
)
def test_a_share_says_what_was_counted(
    says: Says, name: str, places: list[str], wanted: dict[str, float]
) -> None:
    assert says(name, *places) == shared(**wanted)


def test_an_unknown_place_counts_as_what_it_is(says: Says) -> None:
    """Its category and district are known when a request asks."""
    assert says("category", "new", new=(["bar"], "a")) == says("category", "ay")
    assert says("district", "new", new=(["bar"], "b")) == says("district", "bx")


def test_a_category_is_shared_out_by_popularity_within_it(says: Says) -> None:
    """After cafés came two bars and a half (by is half a one), and two cafés."""
    bars, cafes = 2.5 / 4.5, 2 / 4.5
    # Of the visits to bars two were to ay and a half to by; of those to cafés ax and bx have three.
    assert says("category", "ax") == shared(
        ax=cafes * 3 / 6.5,
        ay=bars * 2 / 2.5,
        bx=cafes * 3 / 6.5,
        by=bars * 0.5 / 2.5 + cafes * 0.5 / 6.5,
    )


def test_what_came_at_a_like_hour_counts_more(says: Says) -> None:
    told = says("own_after_hour", "ax", "ay", "ax", "bx", "ax", hours=[8, 9, 20, 21, 32])
    assert told["ay"] > told["bx"] > 0


def test_category_in_district_asks_for_both(says: Says) -> None:
    both = says("category_in_district", "ax")
    category, district = says("category", "ax"), says("district", "ax")
    assert set(both) == set(category) & set(district)
    assert sum(both.values()) == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted), max_size=6),
       st.dictionaries(st.sampled_from([*AFTER_EVENTS, *POPULAR]),
                       st.floats(0, 1, allow_subnormal=False)))  # fmt: skip
@settings(deadline=None)
def test_a_sum_is_the_sum_of_its_shares_each_of_one_or_nothing(fit, tables, chosen, weights):
    bounds = np.array(chosen, np.int64).reshape(-1, 2)
    windows = EventWindows(fit.events, bounds[:, 0], bounds[:, 1])
    shares = Shares(tables, windows)
    single = {name: shares.summed({name: 1.0}) for name in weights}
    for told in single.values():
        sums = told.sum(axis=1)
        assert np.all((np.abs(sums - 1) < 1e-4) | (sums == 0))
    wanted = sum((weights[name] * told for name, told in single.items()), np.zeros(1))
    assert shares.summed(weights) == pytest.approx(
        np.broadcast_to(wanted, shares.summed({}).shape), abs=1e-5
    )
    # One window at a time, as a request has it.
    for row, (start, stop) in enumerate(bounds):
        alone = EventWindows(fit.events, np.array([start]), np.array([stop]))
        assert Shares(tables, alone).summed(weights)[0] == pytest.approx(
            shares.summed(weights)[row], abs=1e-6
        )


def test_what_was_counted_is_put_together_again(tables: ShareTables) -> None:
    again = ShareTables.restore(tables.vocabulary, tables.tensors, tables.follow_power)
    assert again.tensors.keys() == tables.tensors.keys()
    assert all(np.array_equal(again.tensors[name], value) for name, value in tables.tensors.items())


def test_places_without_a_category_or_district_are_a_group_of_their_own(tmp_path: Path) -> None:
    choices = {name: [("p", 1), ("q", 2), ("p", 3), ("q", 4), ("p", 90)] for name in ("ann", "bob")}
    fit = Fit(read_training_set(write_training_set(tmp_path, choices, 80)))
    counted = count_shares(fit, fit.known, CO_OCCURRENCE)
    windows = EventWindows(fit.events, np.array([0]), np.array([1]))
    assert Shares(counted, windows).summed({"category": 1.0}).sum() == pytest.approx(1)
