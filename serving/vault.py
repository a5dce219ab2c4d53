"""The vault: the only way back from a pseudonym to the product's own user id.

Ids lie encrypted, each bound to its pseudonym, so that rows cannot be swapped.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from serving.home import Home
from serving.keys import make_key, open_key

KEY_NAME = "vault.key"
_NONCE_BYTES = 12
_ASK_AT_ONCE = 500
_SCHEMA = """
create table if not exists users (
    pseudonym text primary key,
    sealed_id blob not null
) without rowid
"""


class VaultError(Exception):
    """The vault cannot be opened: it is not there, or its key is not the right one."""


class Vault:
    """Pseudonyms and the encrypted ids behind them; read-only unless made with `create`."""

    def __init__(self, home: Home) -> None:
        path = home.vault
        if not path.exists():
            raise VaultError(
                f"{path}: there is no vault. It is made when data first lands: tastemate ingest"
            )
        self._path = path
        self._cipher = AESGCM(open_key(home.keys / KEY_NAME))
        self._database = sqlite3.connect(
            f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False
        )

    @classmethod
    def create(cls, home: Home) -> Self:
        """Open a vault for writing, and make it and its key where there are none."""
        path = home.vault
        make_key(home.keys / KEY_NAME)
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path)
        path.chmod(0o600)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute(_SCHEMA)
        database.commit()
        vault = cls(home)
        vault._database.close()
        vault._database = database
        return vault

    def add_many(self, users: Iterable[tuple[str, str]]) -> None:
        """Keep the (pseudonym, user id) pairs that are new, durably."""
        with self._database:
            self._database.executemany(
                "insert into users values (?, ?) on conflict do nothing",
                ((pseudonym, self._seal(pseudonym, user_id)) for pseudonym, user_id in users),
            )

    def reveal(self, pseudonyms: Sequence[str]) -> dict[str, str]:
        """Give the user ids behind *pseudonyms*; those the vault does not hold are left out."""
        user_ids: dict[str, str] = {}
        for start in range(0, len(pseudonyms), _ASK_AT_ONCE):
            asked = list(pseudonyms[start : start + _ASK_AT_ONCE])
            places = ",".join("?" * len(asked))
            rows = self._database.execute(
                f"select pseudonym, sealed_id from users where pseudonym in ({places})",  # noqa: S608 - only question marks
                asked,
            )
            user_ids.update(
                (pseudonym, self._open(pseudonym, sealed)) for pseudonym, sealed in rows
            )
        return user_ids

    def forget(self, pseudonyms: Iterable[str]) -> int:
        """Delete *pseudonyms* and their ids, so that no page of the file holds them any more.

        Returns how many were there.
        """
        self._database.execute("pragma secure_delete = on")
        with self._database:
            deleted = self._database.executemany(
                "delete from users where pseudonym = ?", ((one,) for one in pseudonyms)
            ).rowcount
        self._database.execute("vacuum")
        self._database.execute("pragma wal_checkpoint(truncate)")
        return deleted

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _seal(self, pseudonym: str, user_id: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, user_id.encode(), pseudonym.encode())

    def _open(self, pseudonym: str, sealed: bytes) -> str:
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, pseudonym.encode()).decode()
        except InvalidTag:
            raise VaultError(
                f"{self._path}: the id of {pseudonym} does not open with this key. "
                "Point TASTEMATE_KEYS at the keys that the data landed with."
            ) from None
