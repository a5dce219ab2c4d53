"""What was learned before is never held out later, or the training is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.data.leakage import LearnedBeforeError, LearnedFrom, refuse_what_was_learned
from models_ml.data.split import split
from models_ml.data.training_set import read_training_set
from tests.models_ml.conftest import write_training_set

Choices = dict[str, list[tuple[str, int]]]
Written = Callable[[str, Choices, int], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a training set beside the others."""
    return lambda name, choices, cut: write_training_set(tmp_path / name, choices, cut)


def steps(count: int) -> list[tuple[str, int]]:
    return [(f"place{minute % 4}", minute) for minute in range(count)]


def learned_from(folder: Path) -> LearnedFrom:
    data = read_training_set(folder)
    return LearnedFrom.of(data, split(data))


def refuse(folder: Path, *earlier: LearnedFrom) -> None:
    refuse_what_was_learned(folder, split(read_training_set(folder)), earlier)


minutes = st.lists(st.integers(0, 60), max_size=14).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    people=st.lists(minutes, min_size=1, max_size=6),
    days=st.lists(st.tuples(st.integers(1, 61), st.integers(0, 61)), min_size=2, max_size=4),
)
def test_where_events_are_only_added_nothing_learned_is_ever_held_out(
    people: list[list[int]], days: list[tuple[int, int]]
) -> None:
    # Each day all before its moment is known, and the cut is nowhere before that of the day before.
    moments, cuts = (sorted(told) for told in zip(*days, strict=True))
    with TemporaryDirectory() as scratch:
        earlier: list[LearnedFrom] = []
        for moment, cut in zip(moments, cuts, strict=True):
            told = {
                f"u{number}": [("place", minute) for minute in person if minute < moment]
                for number, person in enumerate(people)
                if any(minute < moment for minute in person)
            }
            folder = write_training_set(Path(scratch) / f"{len(earlier)}", told, cut)
            refuse(folder, *earlier)
            earlier.append(learned_from(folder))


def test_a_deletion_that_makes_a_target_of_what_was_learned_is_refused(written: Written) -> None:
    first = written("first", {"ann": steps(12), "bob": steps(12)}, 100)
    later = written("later", {"ann": steps(5), "bob": steps(12)}, 100)
    with pytest.raises(LearnedBeforeError, match=r"2 of the \d+ events .* train from scratch"):
        refuse(later, learned_from(first))


def test_what_one_before_the_last_has_learned_counts_too(written: Written) -> None:
    first = written("first", {"ann": steps(12), "bob": steps(12)}, 100)
    second = written("second", {"bob": steps(12)}, 100)
    later = written("later", {"ann": steps(5), "bob": steps(12)}, 100)
    refuse(later, learned_from(second))
    with pytest.raises(LearnedBeforeError, match="train from scratch"):
        refuse(later, learned_from(first), learned_from(second))


def test_an_earlier_cut_holds_out_what_was_learned(written: Written) -> None:
    first = written("first", {"ann": steps(30)}, 25)
    later = written("later", {"ann": [*steps(30), ("place1", 40)]}, 15)
    with pytest.raises(LearnedBeforeError, match="train from scratch"):
        refuse(later, learned_from(first))


def test_a_folder_of_others_beside_the_sets_is_passed_over(written: Written) -> None:
    first = written("first", {"ann": steps(12)}, 100)
    later = written("later", {"ann": steps(14)}, 100)
    for name, text in (("page", "[]"), ("notes", "{"), ("app", "{}")):
        (first.parent / name).mkdir()
        (first.parent / name / "manifest.json").write_text(text)
    refuse(later, learned_from(first))


def test_a_set_that_is_gone_is_no_proof(written: Written) -> None:
    first = written("first", {"ann": steps(12)}, 100)
    later = written("later", {"ann": steps(14)}, 100)
    known = learned_from(first)
    shutil.rmtree(first)
    with pytest.raises(LearnedBeforeError, match=f"{known.training_set_hash[:16]}.* is not here"):
        refuse(later, known)


def test_another_split_of_the_same_set_is_no_proof(written: Written) -> None:
    first = written("first", {"ann": steps(12)}, 100)
    later = written("later", {"ann": steps(14)}, 100)
    other = LearnedFrom(learned_from(first).training_set_hash, "of another version")
    with pytest.raises(LearnedBeforeError, match="another part of this training set"):
        refuse(later, other)
