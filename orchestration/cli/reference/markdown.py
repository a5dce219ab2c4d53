"""Markdown of pages that are made: tables, and the parts of a page between marks."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_PART = re.compile(
    r"(?P<begin><!-- made by: make reference, (?P<name>\w+) -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


class PageError(ValueError):
    """A page has not the marks of the parts that are made for it."""


def filled(path: Path, parts: Mapping[str, str]) -> str:
    """Give the page at *path* with its *parts* made anew; what stands around them stays.

    Raises:
        PageError: the page lacks a part, or has one of which nothing is known.
    """
    page = path.read_text()
    names = [mark["name"] for mark in _PART.finditer(page)]
    if sorted(names) != sorted(parts):
        raise PageError(
            f"{path}: it has marks for the parts {', '.join(names) or 'none'}; there must be one "
            f"for each of {', '.join(parts)}: <!-- made by: make reference, NAME --> and after it "
            "<!-- end -->."
        )
    return _PART.sub(lambda mark: f"{mark['begin']}{parts[mark['name']]}\n{mark['end']}", page)


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write *rows* as a table."""
    columns = list(columns)
    lines = [_row(columns), "|" + "---|" * len(columns), *map(_row, rows)]
    return "\n".join(lines)


def code(*words: str) -> str:
    """Set each of *words* as code, and say them one after the other."""
    return either([f"`{word}`" for word in words])


def either(words: list[str]) -> str:
    """Say *words* one after the other, with `or` before the last."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def one_line(text: str) -> str:
    """Put a text that was written over several lines on one."""
    return " ".join(text.split())


def _row(cells: Iterable[str]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
