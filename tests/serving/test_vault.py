import sqlite3
from pathlib import Path

import pytest

from serving.home import Home
from serving.keys import make_key
from serving.vault import Vault, VaultError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_vault_leads_back_and_leaves_out_whom_it_does_not_know(home: Home) -> None:
    vault = Vault.create(home)
    vault.add_many([("p1", "Åsa"), ("p2", "2")])
    assert Vault(home).reveal(["p2", "p1", "p9"]) == {"p1": "Åsa", "p2": "2"}


def test_more_users_than_one_question_holds_are_all_revealed(home: Home) -> None:
    Vault.create(home).add_many((f"p{n}", str(n)) for n in range(1234))
    assert Vault(home).reveal([f"p{n}" for n in range(1234)])["p1233"] == "1233"


def test_what_is_there_is_seen_while_the_vault_is_open(home: Home) -> None:
    writer = Vault.create(home)
    reader = Vault(home)
    writer.add_many([("p1", "one")])
    assert reader.reveal(["p1"]) == {"p1": "one"}


def test_the_vault_of_the_endpoint_is_read_only(home: Home) -> None:
    Vault.create(home).close()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        Vault(home).add_many([("p1", "one")])


def test_no_vault_is_a_clear_error_and_none_is_made(home: Home) -> None:
    with pytest.raises(VaultError, match="tastemate ingest"):
        Vault(home)
    assert not home.vault.exists()


def test_the_file_holds_no_id_in_the_clear(home: Home) -> None:
    vault = Vault.create(home)
    vault.add_many([("p1", "a-most-peculiar-name")])
    vault.close()
    assert all(
        b"a-most-peculiar-name" not in file.read_bytes() for file in home.root.glob("vault*")
    )


def test_another_key_opens_nothing(home: Home) -> None:
    Vault.create(home).add_many([("p1", "one")])
    (home.keys / "vault.key").unlink()
    make_key(home.keys / "vault.key")
    with pytest.raises(VaultError, match="TASTEMATE_KEYS"):
        Vault(home).reveal(["p1"])


def test_rows_cannot_be_swapped(home: Home) -> None:
    vault = Vault.create(home)
    vault.add_many([("p1", "one"), ("p2", "two")])
    vault.close()
    with sqlite3.connect(home.vault) as database:
        database.execute(
            "update users set sealed_id = (select sealed_id from users where pseudonym='p2')"
        )
    with pytest.raises(VaultError):
        Vault(home).reveal(["p1"])
