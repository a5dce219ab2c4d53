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
        if not isinstance(
            error, (sqlite3.OperationalError, *([redis.RedisError] if redis else []))
        ):
            raise
        raise OnlineStoreUnavailable(
            f"{place}: the online store does not answer ({error}). "
            "Start it, or look at TASTEMATE_ONLINE: tastemate doctor"
        ) from error
