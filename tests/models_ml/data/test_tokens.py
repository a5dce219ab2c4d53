"""History to tokens."""

from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.data.tokens import (
    BOS,
    MAX_EVENTS,
    PAD,
    SPECIAL_TOKENS,
    Batch,
    History,
    Vocabulary,
    collate,
)
from models_ml.data.training_set import PlaceTable
from models_ml.model_folder import ModelFolder

HOUR = 3_600_000_000
KNOWN = ["bakery", "cinema", "museum"]


def vocabulary() -> Vocabulary:
    nowhere = np.full(3, np.nan)
    places = PlaceTable(
        KNOWN,
        [["food"], ["film", "fun"], []],
        ["north", "", "south"],
        nowhere,
        nowhere,
        np.array([3, 2, 1]),
    )
    return Vocabulary(places, ["film", "food", "fun"], ["north", "south"], ["like", "visit"])


def of(*places: str, ats: list[int] | None = None, **more: object) -> History:
    count = len(places)
    return History(places, ["visit"] * count, ats or list(range(count)), [-1.0] * count, **more)  # type: ignore[arg-type]


def batch_of(*histories: History, has_times: bool = True) -> Batch:
    events, offsets = vocabulary().encode(histories)
    return collate(events, offsets[:-1], offsets[1:], has_times=has_times)


def test_an_empty_history_is_a_bos_alone() -> None:
    batch = batch_of(History())
    assert batch.places.tolist() == [[BOS]]
    assert batch.lengths.tolist() == [1]


def test_events_follow_the_bos_and_padding_follows_them() -> None:
    batch = batch_of(of("museum", "bakery"), of("cinema"))
    first = SPECIAL_TOKENS
    assert batch.places.tolist() == [[BOS, first + 2, first], [BOS, first + 1, PAD]]


def test_only_the_newest_events_are_read() -> None:
    batch = batch_of(of(*["bakery"] * 50, *["cinema"] * MAX_EVENTS))
    assert batch.places.shape == (1, MAX_EVENTS + 1)
    assert set(batch.places[0, 1:].tolist()) == {SPECIAL_TOKENS + 1}


def test_an_unknown_place_keeps_its_category_and_district() -> None:
    batch = batch_of(of("kiosk", unknown_places={"kiosk": (["food", "never heard of"], "south")}))
    assert batch.places[0, 1] == SPECIAL_TOKENS + len(KNOWN)
    assert batch.stranger_categories[0].tolist()[:2] == [2, 0]
    assert batch.stranger_districts.tolist() == [2]


def test_an_unknown_place_of_which_nothing_is_known_is_no_error() -> None:
    batch = batch_of(of("kiosk"))
    assert batch.stranger_categories.sum() == 0
    assert batch.stranger_districts.tolist() == [0]


def test_hour_weekday_and_gap_are_those_of_the_event() -> None:
    # 1970-01-01 was a Thursday, three days after a Monday.
    batch = batch_of(of("bakery", "cinema", ats=[5 * HOUR, 30 * HOUR]))
    assert batch.hours.tolist() == [[0, 6, 7]]
    assert batch.weekdays.tolist() == [[0, 4, 5]]
    assert batch.gaps[0, 1] == 0
    assert batch.gaps[0, 2] == int(np.log2(25 * 3600 + 1)) + 1


def test_synthetic_times_say_nothing() -> None:
    batch = batch_of(of("bakery", "cinema", ats=[5 * HOUR, 30 * HOUR]), has_times=False)
    for tokens in (batch.hours, batch.weekdays, batch.gaps):
        assert tokens.sum() == 0


def test_a_written_vocabulary_reads_back_the_same(tmp_path: Path) -> None:
    before = vocabulary()
    before.write(ModelFolder(tmp_path))
    after = Vocabulary.read(ModelFolder(tmp_path))
    assert after.places.place_ids == before.places.place_ids
    assert (after.categories, after.districts, after.kinds) == (
        before.categories,
        before.districts,
        before.kinds,
    )
    assert np.array_equal(after.place_categories, before.place_categories)


@st.composite
def histories(draw: st.DrawFn) -> History:
    places = draw(st.lists(st.sampled_from([*KNOWN, "kiosk", "pier", ""]), max_size=260))
    kinds = draw(
        st.lists(
            st.sampled_from(["like", "visit", "x"]), min_size=len(places), max_size=len(places)
        )
    )
    start = draw(st.integers(-(10**15), 10**16))
    return History(
        places,
        kinds,
        [start + n * HOUR for n in range(len(places))],
        [-1.0] * len(places),
        {"pier": (["fun"], "north")},
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(histories(), min_size=1, max_size=4))
def test_a_history_has_the_same_tokens_alone_and_among_others(people: list[History]) -> None:
    together = batch_of(*people)
    for row, person in enumerate(people):
        alone = batch_of(person)
        length = int(alone.lengths[0])
        assert together.lengths[row] == length == 1 + min(len(person.place_ids), MAX_EVENTS)
        for name in ("kinds", "hours", "weekdays", "gaps"):
            tokens = getattr(together, name)[row]
            assert torch.equal(tokens[:length], getattr(alone, name)[0])
            assert not tokens[length:].any()
        known = SPECIAL_TOKENS + len(KNOWN)
        ours, theirs = together.places[row, :length], alone.places[0]
        assert torch.equal(ours.clamp(max=known), theirs.clamp(max=known))
        assert (together.places[row, length:] == PAD).all()
