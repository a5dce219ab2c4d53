"""Errors about features and the stores that hold them, whoever meets them."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class PublishError(ValueError):
    """Features that cannot be put online."""


class FeatureRowsError(PublishError):
    """A feature file that is missing, or breaks the rule of one row per key and moment."""


class FeatureValueError(PublishError):
    """A value that no online store can hold."""


class TooManyOfflineError(PublishError):
    """So many keys would go offline that it is not done unasked."""


class PublishingElsewhereError(PublishError):
    """Another publisher is at work on this home."""


class OnlineStoreUnavailable(ConnectionError):  # noqa: N818 - a state, and read as one
    """The online store does not answer."""


@contextmanager
def reachable(place: str) -> Iterator[None]:
    """Turn what the stores raise when they are away into `OnlineStoreUnavailable`."""
    try:
        yield
    except Exception as error:
        # Whoever has not loaded Redis's client has asked no Redis.
        redis = sys.modules.get("redis.exceptions")
        is_away = isinstance(
            error, (sqlite3.OperationalError, *([redis.RedisError] if redis else []))
        )
        # What SQLite says of a file that is none of its own; of SQL that is wrong, a subclass.
        if not (is_away or type(error) is sqlite3.DatabaseError):
            raise
        raise OnlineStoreUnavailable(
            f"{place}: the online store does not answer ({error}). {_remedy(error)}"
        ) from error


def _remedy(error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError) and "no such table" in str(error):
        return (
            "Its tables are gone, or were never made. Make and fill them anew: "
            "tastemate apply, then tastemate materialize"
        )
    if type(error) is sqlite3.DatabaseError:
        return (
            "The file is damaged. Put it aside, then make and fill it anew: tastemate apply, "
            "then tastemate materialize"
        )
    return "Start it, or look at TASTEMATE_ONLINE: tastemate doctor"
