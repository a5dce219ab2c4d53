"""Folders outside the home that a person asks to have something written to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PlaceError(RuntimeError):
    """Nothing can be written where a person asked for it."""


@contextmanager
def made_at(place: Path, option: str) -> Iterator[None]:
    """Write to *place*, which the option named *option* gave, in this block, and nowhere else.

    Raises:
        PlaceError: it cannot be written to; the message says why.
    """
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PlaceError(
            f"{place}: it cannot be written to: {why}. Choose another place: {option} DIR"
        ) from error
