"""Folders outside the home that a person asks to have something written to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PlaceError(RuntimeError):
    """Nothing can be written where a person asked for it."""


@contextmanager
def made_at(place: Path, option: str) -> Iterator[None]:
    """Make folders under *place*, which the option named *option* gave, in this block.

    Raises:
        PlaceError: it cannot be written to; the message says why.
    """
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PlaceError(
            f"{place}: nothing can be written there, for {error.filename or place} says: {why}. "
            f"Nothing was done. Choose another: {option} DIR"
        ) from error
