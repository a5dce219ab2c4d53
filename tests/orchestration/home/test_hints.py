"""Commands in messages: typed as they stand, they work on the home that the message is about."""

from pathlib import Path

import pytest

from orchestration.home.hints import name_home, typed


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (None, "Make one: tastemate run, then `tastemate serve`."),
        (Path("h"), "Make one: tastemate --home h run, then `tastemate --home h serve`."),
        (Path("a home"),
         "Make one: tastemate --home 'a home' run, then `tastemate --home 'a home' serve`."),
    ],
)  # fmt: skip
def test_a_home_that_was_named_is_named_again(root: Path | None, told: str) -> None:
    name_home(root)
    try:
        assert typed("Make one: tastemate run, then `tastemate serve`.") == told
    finally:
        name_home(None)


@pytest.mark.parametrize(
    "text",
    ["tastemate --home DIR demo", "/somewhere/tastemate is a folder", "tastemate-mlflow works",
     "models/tastemate", "Tastemate is at work"],
)  # fmt: skip
def test_what_is_no_command_stays(text: str) -> None:
    name_home(Path("h"))
    try:
        assert typed(text) == text
    finally:
        name_home(None)
