"""The user vector: the same for the same taste, whatever else people differ in."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.data.split import known_events, known_offsets, split
from models_ml.data.tokens import SPECIAL_TOKENS, History, Vocabulary
from models_ml.data.training_set import read_training_set
from models_ml.user_vectors import Taste, TasteError
from models_ml.user_vectors_fit import fit_taste

Fitted = tuple[Vocabulary, Taste]


@pytest.fixture(scope="module")
def fitted(town: Path) -> Fitted:
    data = read_training_set(town)
    parts = split(data)
    known = known_events(data, parts)
    vocabulary = Vocabulary.build(data, known)
    tokens = vocabulary.encode_training_set(data)
    events = dataclasses.replace(tokens, places=tokens.places[known])
    return vocabulary, fit_taste(events, known_offsets(data, parts), vocabulary, seed=0)


def of(*places: str, **unknown_places: tuple[list[str], str]) -> History:
    count = len(places)
    return History(places, ["visit"] * count, list(range(count)), [-1.0] * count, unknown_places)


def vectors(fitted: Fitted, *histories: History) -> np.ndarray:
    vocabulary, taste = fitted
    return taste.vectors(*vocabulary.encode(histories))


@given(
    st.lists(st.sampled_from(["a0", "a1", "b0", "b2", "c1", "d0"]), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_order_and_returns_do_not_matter(fitted: Fitted, places: list[str], random: object) -> None:
    shuffled = [*places, *places]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = vectors(fitted, of(*places), of(*shuffled))
    assert np.allclose(one, other, atol=1e-4)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_a_place_never_seen_stands_for_its_category_and_district(fitted: Fitted) -> None:
    kiosk, bar, a, b = vectors(
        fitted,
        of("kiosk", kiosk=(["A"], "a")),
        of("bar", bar=(["B"], "b")),
        of("a0", "a1", "a2"),
        of("b0", "b1", "b2"),
    )
    assert min(kiosk @ a, bar @ b) > 0.9
    assert max(kiosk @ b, bar @ a) < 0.5


def test_category_and_district_each_tell_something(fitted: Fitted) -> None:
    by_category, by_district, by_both, a = vectors(
        fitted,
        of("x", x=(["A"], "")),
        of("x", x=(["never"], "a")),
        of("x", x=(["A", "never"], "a")),
        of("a0", "a1", "a2"),
    )
    assert min(by_category @ a, by_district @ a, by_both @ a) > 0.9


def test_a_place_of_which_nothing_is_known_says_nothing(fitted: Fitted) -> None:
    with_it, without_it, alone = vectors(
        fitted, of("a0", "x", x=(["never"], "")), of("a0"), of("x", x=(["never"], ""))
    )
    assert np.array_equal(with_it, without_it)
    assert not alone.any()


def test_one_event_is_enough_for_a_vector(fitted: Fitted) -> None:
    one, many, other = vectors(fitted, of("a0"), of("a0", "a1", "a2"), of("b0", "b1", "b2"))
    assert one @ many > 0.4
    assert one @ other < 0.1


def test_what_is_saved_is_restored(fitted: Fitted) -> None:
    _, taste = fitted
    restored = Taste.restore(taste.tensors | {"other.weight": taste.centre})
    for name, value in taste.tensors.items():
        assert np.array_equal(restored.tensors[name], value)


def test_an_earlier_version_is_told_by_what_is_missing(fitted: Fitted) -> None:
    tensors = fitted[1].tensors
    del tensors["taste.centre"]
    with pytest.raises(TasteError, match=r"taste\.centre missing.*tastemate train"):
        Taste.restore(tensors)


def test_places_are_given_by_token(fitted: Fitted) -> None:
    vocabulary, taste = fitted
    events, offsets = vocabulary.encode([of("a0")])
    raw = taste.factors[events.places[0] - SPECIAL_TOKENS] - taste.centre
    assert np.allclose(taste.vectors(events, offsets)[0], raw / np.linalg.norm(raw), atol=1e-6)
