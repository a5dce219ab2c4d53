import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from orchestration.landing import LandedFile, land, recover
from orchestration.landing.archive import quarantined_lines
from orchestration.landing.errors import FileChangedError, LandingBusyError, NothingToLandError
from orchestration.landing.land import alone_landing
from orchestration.landing.ledger import Entry, Ledger
from serving.home import Home
from serving.keys import KeyFaultError
from serving.pseudonyms import Pseudonyms
from serving.vault import Vault

LIKE = b'{"_id": 1, "user_id": "peculiar-ann", "contents_id": "p1"}\n'
Lines = Callable[[], list[dict[str, Any]]]
Write = Callable[[str, bytes], Path]


def only(files: list[LandedFile]) -> LandedFile:
    (file,) = files
    return file


def archived(home: Home) -> int:
    return sum(pq.read_metadata(file).num_rows for file in home.lines.rglob("*.parquet"))


def exported(home: Home) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(home.landed_files).to_pylist()
    return rows


def test_every_kind_of_broken_line_is_counted_and_kept(home: Home, write: Write) -> None:
    broken = [b"", b" \t\r", b"\xff\xfe", b"nope", b"[1]", b'"user_id"', b"\0", b'{"a": 1', b"{}"]
    broken += [b'{"user_id": null}', b'{"user_id": ""}', b'{"user_id": [1]}', b'{"user_id": true}']
    broken += [b'{"a": "' + b"x" * 20_000_000, b'{"user_id": 1}{}']
    content = LIKE + b"\n".join(broken)
    file = only(land(home, "sample", write("likes.jsonl", content)))
    assert file.lines_in == archived(home) == 1 + len(broken)
    assert file.unreadable == {
        "blank_line": 2, "not_text": 1, "not_json": 5, "not_an_object": 2, "no_user": 5,
    }  # fmt: skip
    (kept,) = home.quarantine.rglob("*.parquet")
    assert dict(quarantined_lines(home, kept)) == dict(enumerate(broken, start=2))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.recursive(
                st.none() | st.integers() | st.text(max_size=3),
                lambda inner: st.dictionaries(st.sampled_from(["user_id", "$oid", "a"]), inner),
                max_leaves=4,
            ).map(lambda value: json.dumps(value).encode()),
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_no_bytes_crash_and_no_line_is_lost(parts: list[bytes], is_ended: bool) -> None:  # noqa: FBT001
    content = b"\n".join(parts) + (b"\n" if is_ended else b"")
    assume(not content.startswith(b"\x1f\x8b\x08"))  # gzip has tests of its own
    expected = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    # A byte order mark alone is no line.
    expected -= content == b"\xef\xbb\xbf"
    with TemporaryDirectory() as folder:
        home, source = Home(Path(folder, "home")), Path(folder, "reviews.jsonl")
        source.write_bytes(content)
        file = only(land(home, "sample", source))
        assert file.lines_in == archived(home) == expected
        rows = [
            row for path in home.lines.rglob("*.parquet") for row in pq.read_table(path).to_pylist()
        ]
        for row in rows:
            assert (row["doc"] is None) == (row["landing_reason"] is not None)
            if row["doc"]:
                assert json.loads(row["doc"])["user_id"] == row["user_id"]


def test_bytes_that_only_begin_like_gzip_are_lines(home: Home, write: Write) -> None:
    file = only(land(home, "sample", write("likes.jsonl", b"\x1f\x8b\n" + LIKE)))
    assert file.lines_in == archived(home) == 2


def test_the_same_bytes_land_once_under_whatever_name(home: Home, write: Write) -> None:
    first = only(land(home, "sample", write("likes.jsonl", LIKE)))
    write("likes-2.jsonl", LIKE)
    again = land(home, "sample", write("likes-3.jsonl.gz", gzip.compress(LIKE)))
    assert first.status == "landed"
    assert [(file.name, file.status) for file in again] == [
        ("likes-2.jsonl", "already_landed"),
        ("likes-3.jsonl.gz", "landed"),
        ("likes.jsonl", "already_landed"),
    ]
    assert archived(home) == 2


@pytest.mark.parametrize("count", [2, 12])
def test_the_ledger_is_read_as_often_whatever_number_of_files_is_known(
    home: Home, write: Write, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Once for each file would cost the square of their number."""
    for number in range(count):
        folder = write(f"likes-{number}.jsonl", LIKE + b"\n" * number)
    land(home, "sample", folder)
    read: list[int] = []
    files = Ledger.files

    def counted(ledger: Ledger) -> list[Entry]:
        read.append(1)
        return files(ledger)

    monkeypatch.setattr(Ledger, "files", counted)
    assert {file.status for file in land(home, "sample", folder)} == {"already_landed"}
    assert len(read) == 3


def test_a_user_written_in_many_ways_is_one_pseudonym(
    home: Home, write: Write, lines: Lines
) -> None:
    ways = [
        '"7"',
        "7",
        '{"$numberLong":"7"}',
        '{"$oid": "7"}',
        "7.0",
        r'"\u0037"',
        '{"$numberInt":7}',
    ]
    texts = [f'{{"user_id":{way},"n":1}}' for way in ways]
    texts += ['{"n": 1, "user_id" : "7"}', '{"user_id":"x","user\\u005fid":"7","user_id":"7"}']
    land(home, "sample", write("likes.jsonl", "\n".join(texts[:-1]).encode()))
    pseudonym = Pseudonyms(home.keys).of("7")
    assert [row["user_id"] for row in lines()] == [pseudonym] * (len(texts) - 1)
    assert all(row["doc"] == {"user_id": pseudonym, "n": 1} for row in lines())
    assert Vault(home).reveal([pseudonym]) == {pseudonym: "7"}


def test_what_is_not_the_user_stays_as_the_source_wrote_it(home: Home, write: Write) -> None:
    like = b'{"a":1.50,"user_id":"x","big":12345678901234567890123,"n":null,"e":"\xc3\xa9"}'
    land(home, "sample", write("likes.jsonl", like))
    (path,) = home.lines.rglob("*.parquet")
    (doc,) = pq.read_table(path)["doc"].to_pylist()
    assert doc.encode() == like.replace(b'"x"', b'"%s"' % Pseudonyms(home.keys).of("x").encode())


def test_deep_nesting_and_odd_field_names_are_landed(home: Home, write: Write) -> None:
    deep = (
        b'{"user_id":"a","~/\'x\\"":{"user_id":9},"deep":' + b"[" * 300_000 + b"]" * 300_000 + b"}"
    )
    land(home, "sample", write("likes.jsonl", deep + b'\n{"~/\'\\"":1,"user_id":"a"}'))
    (path,) = home.lines.rglob("*.parquet")
    docs = pq.read_table(path)["doc"].to_pylist()
    assert docs[0].count("[") == 300_000
    assert json.loads(docs[1])["~/'\""] == 1


def test_no_id_is_left_in_the_clear(home: Home, write: Write) -> None:
    content = (
        LIKE + b'{"user_id":"peculiar-ann","user_id":"peculiar-bob"}\n{"user_id":"peculiar-cut'
    )
    content += b'\n{"user_id":{"$oid":"peculiar-dan"}}\n{"user_id":["peculiar-eve"]}\npeculiar-\xff'
    content += b'\n{"user_id":"peculiar-fay","n":"\\u0041"}'
    land(home, "sample", write("likes.jsonl", content))
    for file in home.root.rglob("*"):
        if file.suffix == ".parquet":
            assert "peculiar" not in str(pq.read_table(file).to_pylist()), file
        elif file.is_file():
            assert b"peculiar" not in file.read_bytes(), file


def test_offsets_lead_to_the_line(home: Home, write: Write, lines: Lines) -> None:
    content = b"\xef\xbb\xbf" + LIKE + b"\n" + LIKE * 2
    folder = write("likes.jsonl", content)
    land(home, "sample", folder)
    offsets = [row["byte_offset"] for row in lines()]
    assert [content[offset : offset + 5] for offset in offsets] == [
        LIKE[:5],
        b"\n" + LIKE[:4],
        LIKE[:5],
        LIKE[:5],
    ]


def test_a_cut_gzip_gives_what_can_be_read(home: Home, write: Write) -> None:
    packed = gzip.compress(b"".join(b'{"user_id": %d}\n' % n for n in range(50_000)))
    file = only(land(home, "sample", write("likes.jsonl.gz", packed[: len(packed) // 2])))
    assert file.is_truncated
    assert 10_000 < file.lines_in == archived(home) < 50_000


def test_members_of_a_gzip_follow_one_another(home: Home, write: Write) -> None:
    packed = gzip.compress(LIKE) + gzip.compress(LIKE * 2) + b"\0" * 100
    file = only(land(home, "sample", write("likes.jsonl.gz", packed)))
    assert (file.lines_in, file.is_truncated) == (3, False)


def test_an_empty_file_lands_with_no_lines(home: Home, write: Write) -> None:
    file = only(land(home, "sample", write("likes.jsonl", b"")))
    assert (file.status, file.lines_in, archived(home)) == ("landed", 0, 0)
    assert [row["lines_in"] for row in exported(home)] == [0]


def test_only_the_first_load_of_a_source_speaks_of_the_past(
    home: Home, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("places.jsonl", b'{"_id": "p1"}\n')
    land(home, "sample", write("likes.jsonl", LIKE))
    monkeypatch.setenv("TASTEMATE_NOW", "2026-07-02T08:00:00+00:00")
    land(home, "sample", write("likes-2.jsonl", LIKE * 2))
    assert [(row["kind"], row["is_backfill"]) for row in exported(home)] == [
        ("places", True),
        ("likes", True),
        ("likes", False),
    ]
    assert exported(home)[2]["landed_at"] == datetime(2026, 7, 2, 8, tzinfo=UTC)
    assert str(exported(home)[2]["landed_date"]) == "2026-07-02"


KILLED = """
import os, signal, sys
from pathlib import Path
from orchestration.landing import land
from orchestration.landing import {module}
from serving.home import Home

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

{module}.{name} = die
land(Home(Path(sys.argv[1])), "sample", Path(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("archive", "put_in_place"),
        ("ledger", "Ledger.add"),
        ("ledger", "Ledger.finish_load"),
    ],
    ids=["before the rename", "between rename and ledger", "before the load is done"],
)
def test_a_killed_landing_is_taken_up_by_the_next(
    home: Home, write: Write, module: str, name: str
) -> None:
    folder = write("likes.jsonl", LIKE * 3 + b"broken\n")
    program = KILLED.format(module=module, name=name)
    killed = subprocess.run([sys.executable, "-c", program, home.root, folder], check=False)
    assert killed.returncode == -signal.SIGKILL
    land(home, "sample", folder)
    (row,) = exported(home)
    assert row["lines_in"] == archived(home) == 4
    assert row["is_backfill"]
    assert {path.name for path in home.lines.rglob("*") if path.is_file()} == {
        f"{row['file_id']}.parquet"
    }


def test_files_that_the_ledger_does_not_know_are_set_aside(home: Home, write: Write) -> None:
    land(home, "sample", write("likes.jsonl", LIKE))
    (known,) = home.lines.rglob("*.parquet")
    (known.parent / "0123456789abcdef.parquet").write_bytes(known.read_bytes())
    (known.parent / ".0123456789abcdef.parquet.tmp").write_bytes(b"")
    home.landed_files.unlink()
    recover(home)
    assert {path.name for path in known.parent.iterdir()} == {
        known.name, "0123456789abcdef.parquet.stray",
    }  # fmt: skip
    assert len(exported(home)) == 1


def test_an_archive_whose_ledger_is_lost_is_kept_until_its_file_lands_again(
    home: Home, write: Write
) -> None:
    folder = write("likes.jsonl", LIKE)
    land(home, "sample", folder)
    for path in home.root.glob("ledger.sqlite*"):
        path.unlink()
    recover(home)
    (stray,) = [path for path in home.lines.rglob("*") if path.is_file()]
    assert stray.name.endswith(".parquet.stray")
    land(home, "sample", folder)
    (known,) = [path for path in home.lines.rglob("*") if path.is_file()]
    assert known.name == stray.name.removesuffix(".stray")


@pytest.mark.parametrize("name", ["pseudonym.key", "vault.key", "quarantine.key"])
def test_a_lost_key_is_asked_for_and_never_made_anew(home: Home, write: Write, name: str) -> None:
    land(home, "sample", write("likes.jsonl", LIKE))
    (home.keys / name).unlink()
    with pytest.raises(KeyFaultError, match="Put it back"):
        land(home, "sample", write("likes-2.jsonl", LIKE))
    assert not (home.keys / name).exists()


def test_two_landings_do_not_run_at_once(home: Home, write: Write) -> None:
    with alone_landing(home), pytest.raises(LandingBusyError, match="another process"):
        land(home, "sample", write("likes.jsonl", LIKE))


def test_a_file_that_changes_while_read_does_not_land(home: Home, write: Write) -> None:
    folder = write("likes.jsonl", LIKE)

    def grow(_name: str, _done: int, _size: int) -> None:
        write("likes.jsonl", LIKE * 2)

    with pytest.raises(FileChangedError, match="ingest again"):
        land(home, "sample", folder, grow)
    assert not list(home.lines.rglob("*.parquet"))
    assert only(land(home, "sample", folder)).lines_in == 2


def test_a_folder_without_the_source_is_told(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NothingToLandError, match="no such file"):
        land(home, "sample", tmp_path / "nowhere")
    with pytest.raises(NothingToLandError, match=r"places\.jsonl"):
        land(home, "sample", tmp_path)


def test_places_with_only_coordinates_get_a_district(
    home: Home, write: Write, lines: Lines
) -> None:
    content = b"""{"_id":1,"location":{"lat":40.7,"lng":-74.0}}
{"_id":2,"location":{"lat":{"$numberDouble":"40.7"},"lng":-74.0}}
{"_id":3,"location":{"lat":40.7,"lng":-74.0},"district_code":"d1"}
{"_id":4,"location":{"lat":940.7,"lng":-74.0}}
{"_id":5,"location":{"lat":"NaN","lng":-74.0}}
{"_id":6,"location":"somewhere"}
{"_id":7}"""
    land(home, "sample", write("places.jsonl", content))
    codes = [row["district_code"] for row in lines()]
    assert codes[0] == codes[1]
    assert codes[0].startswith("87")
    assert codes[2:] == [None] * 5
    assert {row["user_id"] for row in lines()} == {None}
