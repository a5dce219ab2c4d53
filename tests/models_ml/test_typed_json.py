"""JSON read as types: what fits is taken, what does not is named."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.typed_json import (
    ABSENT,
    LENIENT,
    JsonTypeError,
    Settings,
    as_settings,
    decode,
    json_text,
    read_json,
)


@dataclass(frozen=True)
class Inner:
    low: float
    high: float


@dataclass(frozen=True)
class Outer:
    kind: Literal["model", "baseline"]
    n: int
    intervals: dict[str, Inner]
    names: list[str] = field(default_factory=list)
    best: Inner | None = field(default=None, metadata=ABSENT)
    told: float | None = None
    settings: Settings = field(default_factory=dict)


numbers = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, numbers, numbers)
outers = st.builds(
    Outer,
    kind=st.sampled_from(["model", "baseline"]),
    n=st.integers(),
    intervals=st.dictionaries(st.text(), inners),
    names=st.lists(st.text()),
    best=st.none() | inners,
    told=st.none() | numbers,
    settings=st.dictionaries(
        st.text(), st.none() | st.booleans() | st.integers() | numbers | st.text()
    ),
)


@given(outers)
def test_what_was_written_is_read_back_as_it_was(outer: Outer) -> None:
    import json

    assert decode(Outer, json.loads(json_text(outer)), "here") == outer


GOOD = {"kind": "model", "n": 1, "intervals": {"a": {"low": 0, "high": 1.5}}}


def test_what_is_missing_takes_its_default_and_what_is_unknown_is_left_out() -> None:
    read = decode(Outer, {**GOOD, "of_a_later_version": 1}, "here")
    assert read == Outer("model", 1, {"a": Inner(0.0, 1.5)})
    assert type(read.intervals["a"].low) is float


def test_a_field_that_may_be_absent_is_not_written_while_it_is_none() -> None:
    text = json_text(Outer("model", 1, {}))
    assert '"best"' not in text
    assert '"told": null' in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "other"}, 'kind is "other", not Literal'),
        ({"n": 1.5}, "n is 1.5, not int"),
        ({"n": True}, "n is true, not int"),
        ({"intervals": {"a": {"low": 1}}}, "intervals.a: high is missing"),
        ({"intervals": []}, "intervals is"),
        ({"names": ["a", 1]}, r"names\[1\] is 1, not str"),
        ({"best": {"low": "x", "high": 1}}, 'best.low is "x", not float'),
        ({"told": "much"}, 'told is "much", not float'),
        ({"settings": {"a": []}}, "settings.a is"),
    ],
)
def test_what_does_not_fit_is_named_with_its_value(change: dict[str, object], said: str) -> None:
    with pytest.raises(JsonTypeError, match=said):
        decode(Outer, {**GOOD, **change}, "here")


def test_a_file_that_is_no_json_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(JsonTypeError, match=r"x\.json: this is no JSON"):
        read_json(tmp_path / "x.json", Outer)


def test_settings_become_their_owners_type_and_back() -> None:
    assert decode(Inner, as_settings(Inner(1.0, 2.0)), "here") == Inner(1.0, 2.0)


@dataclass(frozen=True)
class _Described:
    name: str
    figures: dict[str, float] = field(default_factory=dict, metadata=LENIENT)
    note: str | None = field(default=None, metadata={**ABSENT, **LENIENT})


def test_what_only_describes_takes_its_default_where_it_is_wrong() -> None:
    assert decode(_Described, {"name": "a", "figures": {"x": "y"}, "note": 3}, "it") == _Described(
        "a"
    )
    with pytest.raises(JsonTypeError, match="name"):
        decode(_Described, {"name": 3}, "it")


def test_an_error_names_an_object_and_not_a_class_of_python() -> None:
    with pytest.raises(JsonTypeError, match=r"it is 3, not an object\."):
        decode(dict[str, float], 3, "it")
