"""Pseudonyms: what stands in place of a user's id everywhere but in the product itself."""

import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from serving.keys import make_key, open_key

KEY_NAME = "pseudonym.key"
PSEUDONYM_BYTES = 16
_WRAPPERS = ("$oid", "$numberLong", "$numberInt")


def canonical_id(value: object) -> str | None:
    """Give the one text by which an id is known, however the source has written it.

    Strings stay as they are, whole numbers become decimal, and MongoDB's wrappers
    stand for what they wrap. None where *value* names nobody.
    """
    if isinstance(value, dict):
        if len(value) != 1:
            return None
        ((wrapper, inner),) = value.items()
        return canonical_id(inner) if wrapper in _WRAPPERS and not isinstance(inner, dict) else None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return None


class Pseudonyms:
    """Turns canonical ids into pseudonyms under the home's key."""

    def __init__(self, keys: Path) -> None:
        self._key = open_key(keys / KEY_NAME)

    @classmethod
    def create(cls, keys: Path) -> Self:
        """Open the pseudonyms of a home that may not have its key yet."""
        make_key(keys / KEY_NAME)
        return cls(keys)

    def of(self, user_id: str) -> str:
        """Give the pseudonym of a canonical id: 32 hex digits."""
        digest = hmac.digest(self._key, user_id.encode("utf-8", "surrogatepass"), "sha256")
        return digest[:PSEUDONYM_BYTES].hex()

    def of_many(self, user_ids: Iterable[str]) -> list[str]:
        """Give the pseudonyms of canonical ids, in their order."""
        return [self.of(user_id) for user_id in user_ids]
