"""The files of a day: the same each time, and every line of a kind that is announced."""

import json
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.sample.day_files import KINDS, DayFile, files_of
from orchestration.sample.days import day_of
from orchestration.sample.past import Past, Size, past_of

NAME = "{kind}-tomorrow.jsonl"
SEEDS, NUMBERS, WEEKS = st.integers(0, 3), st.integers(1, 5), st.integers(-9, 99)
SIZES = st.sampled_from([Size.of(1, users=1, places=1), Size.of(1500), Size.of(12_000)])


@cache
def some_past(seed: int, size: Size) -> Past:
    return past_of(seed, size)


def files(seed: int, size: Size, number: int, weeks: int) -> list[tuple[DayFile, bytes]]:
    past = some_past(seed, size)
    return list(files_of(past, day_of(past, number), weeks, NAME))


def ids(content: bytes) -> list[str]:
    """The ids of lines that are documents with one, in the order of the lines."""
    told = []
    for line in content.split(b"\n"):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and "_id" in document:
            told.append(str(document["_id"]))
    return told


@settings(deadline=None, max_examples=25)
@given(SEEDS, SIZES, NUMBERS, WEEKS)
def test_the_same_day_has_the_same_bytes_and_its_ids_whenever_it_is(
    seed: int, size: Size, number: int, weeks: int
) -> None:
    one = files(seed, size, number, weeks)
    assert one == files(seed, size, number, weeks)
    elsewhen = files(seed, size, number, 0)
    assert [file for file, _ in one] == [file for file, _ in elsewhen]
    assert [ids(content) for _, content in one] == [ids(content) for _, content in elsewhen]


@settings(deadline=None, max_examples=25)
@given(SEEDS, SIZES, NUMBERS)
def test_every_line_is_announced_and_no_event_is_told_of_twice(
    seed: int, size: Size, number: int
) -> None:
    told = files(seed, size, number, 0)
    assert [file.kind for file, _ in told] == list(KINDS)
    for file, content in told:
        events = file.on_time + file.late + file.corrected + file.deleted
        assert file.lines == content.count(b"\n")
        assert file.lines == events + file.repeated + file.unfit
        # Dirt is made of good lines, and bears their ids or none.
        assert len(set(ids(content))) == events
