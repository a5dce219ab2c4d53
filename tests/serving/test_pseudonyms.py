import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.keys import KeyFaultError
from serving.pseudonyms import Pseudonyms, canonical_id


@pytest.mark.parametrize(
    "written",
    [
        42,
        "42",
        42.0,
        {"$numberLong": "42"},
        {"$numberLong": 42},
        {"$numberInt": "42"},
        {"$oid": "42"},
    ],
)
def test_an_id_is_the_same_however_it_is_written(written: object) -> None:
    assert canonical_id(written) == "42"


@pytest.mark.parametrize(
    "written",
    [
        *(None, True, False, "", "  ", [], ["42"], {}, 1.5, float("nan"), float("inf")),
        *({"$oid": None}, {"$oid": {"$oid": "42"}}, {"id": "42"}, {"$oid": "4", "$numberInt": "2"}),
    ],
)
def test_what_names_nobody_has_no_id(written: object) -> None:
    assert canonical_id(written) is None


@settings(deadline=None)
@given(st.integers())
def test_whole_numbers_and_their_text_are_one_id(number: int) -> None:
    assert canonical_id(number) == canonical_id(str(number))


def test_pseudonyms_are_32_hex_digits_and_keep_their_order(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms.create(tmp_path)
    one, other, again = pseudonyms.of_many(["one", "other", "one"])
    assert one == again == pseudonyms.of("one")
    assert other != one
    assert len(one) == 32
    assert int(one, 16) >= 0


def test_another_home_has_other_pseudonyms(tmp_path: Path) -> None:
    here, there = Pseudonyms.create(tmp_path / "a"), Pseudonyms.create(tmp_path / "b")
    assert here.of("one") != there.of("one")


def test_opening_never_makes_a_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFaultError, match="tastemate ingest"):
        Pseudonyms(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = Pseudonyms.create(tmp_path).of("one")
    assert Pseudonyms.create(tmp_path).of("one") == first
    assert Pseudonyms(tmp_path).of("one") == first
    (key,) = tmp_path.iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_cut_key_is_refused(tmp_path: Path) -> None:
    Pseudonyms.create(tmp_path)
    (tmp_path / "pseudonym.key").write_bytes(b"short")
    with pytest.raises(KeyFaultError, match="5 bytes"):
        Pseudonyms.create(tmp_path)
