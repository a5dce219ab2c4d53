"""What verbs print as JSON is JSON, whatever the data holds."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest

from orchestration.cli.output import printed_json


def _no_json(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (b"text", "text"),
        (b"\xff\x00", "ff00"),
        (Decimal("1.50"), "1.50"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00Z"),
        (Path("a/b"), "a/b"),
    ],
)
def test_a_value_of_a_table_is_told_as_json_can(value: object, told: object) -> None:
    written = printed_json({"examples": [{"key": value}]})
    assert json.loads(written, parse_constant=_no_json) == {"examples": [{"key": told}]}
