from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.landing import land, load_mapping
from orchestration.landing.errors import ReplayError
from orchestration.landing.ledger import Ledger
from orchestration.landing.replay import Replayed, replay
from serving.home import Home
from serving.pseudonyms import Pseudonyms
from serving.vault import Vault

Lines = Callable[[], list[dict[str, Any]]]
Write = Callable[[str, bytes], Path]

GOOD = b'{"user_id": "ann", "contents_id": "p1"}\n'
LATIN = '{"user_id": "zoé", "contents_id": "p2"}\n'.encode("latin1")
TO_UTF8 = "iconv -f latin1 -t utf-8"


def only(found: list[Replayed]) -> Replayed:
    (one,) = found
    return one


def ledger_rows(home: Home) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(home.landed_files).to_pylist()
    return rows


def test_lines_that_a_command_mends_land_under_their_old_numbers(
    home: Home, write: Write, lines: Lines
) -> None:
    (first,) = land(home, "sample", write("likes.jsonl", GOOD + LATIN + b"nope\n" + LATIN))
    found = only(replay(home, reason="not_text", through=TO_UTF8))
    assert (found.lines, found.landed, found.reasons) == (2, 2, {})
    landed = [line for line in lines() if line["file_id"] == found.file_id]
    assert [line["line_number"] for line in landed] == [2, 4]
    assert [line["byte_offset"] for line in landed] == [len(GOOD), len(GOOD) + len(LATIN) + 5]
    (zoe,) = Pseudonyms.create(home.keys).of_many(["zoé"])
    assert {line["user_id"] for line in landed} == {line["doc"]["user_id"] for line in landed}
    assert {line["user_id"] for line in landed} == {zoe}
    assert Vault(home).reveal([zoe]) == {zoe: "zoé"}
    old, new = ledger_rows(home)
    assert (old["file_id"], old["lines_in"]) == (first.file_id, 4)
    assert (new["replays_file_id"], new["lines_in"]) == (first.file_id, 2)
    assert not new["is_backfill"]


def test_the_old_file_is_not_touched(home: Home, write: Write, lines: Lines) -> None:
    land(home, "sample", write("likes.jsonl", GOOD + LATIN))
    before = lines()
    found = only(replay(home, through=TO_UTF8))
    assert [line for line in lines() if line["file_id"] != found.file_id] == before


def test_nothing_is_replayed_twice(home: Home, write: Write) -> None:
    land(home, "sample", write("likes.jsonl", LATIN + b"nope\n"))
    assert only(replay(home, through=TO_UTF8)).landed == 1
    again = only(replay(home, through=TO_UTF8))
    assert (again.lines, again.landed, again.file_id) == (1, 0, None)
    assert again.reasons == {"not_json": 1}
    assert len(ledger_rows(home)) == 2


def test_like_lines_of_two_files_are_two_files(home: Home, write: Write) -> None:
    folder = write("likes.jsonl", LATIN)
    write("likes-2.jsonl", GOOD + LATIN)
    land(home, "sample", folder)
    assert [found.landed for found in replay(home, through=TO_UTF8)] == [1, 1]
    assert [row["lines_in"] for row in ledger_rows(home)] == [2, 1, 1, 1]


def test_a_dry_run_lands_nothing_and_learns_nobody(home: Home, write: Write, lines: Lines) -> None:
    land(home, "sample", write("likes.jsonl", GOOD + LATIN))
    before = lines(), ledger_rows(home)
    assert only(replay(home, through=TO_UTF8, is_trial=True)).landed == 1
    assert (lines(), ledger_rows(home)) == before
    (zoe,) = Pseudonyms.create(home.keys).of_many(["zoé"])
    assert Vault(home).reveal([zoe]) == {}


def test_records_of_csv_are_read_under_the_header_of_their_file(
    home: Home, write: Write, lines: Lines, tmp_path: Path
) -> None:
    mapping = tmp_path / "walks.yml"
    mapping.write_text(
        "source: walks\nformat: csv\nevents: "
        "{file: walks.csv, user: who, place: where, time: {column: at}, kind: visit}\n"
    )
    content = "who,where,at\nann,p1,2024-01-01\nzoé,p2,2024-01-02\nbob,p3\n".encode("latin1")
    land(home, load_mapping(mapping), write("walks.csv", content))
    found = only(replay(home, through=TO_UTF8))
    assert (found.landed, found.reasons) == (1, {"wrong_field_count": 1})
    (landed,) = [line for line in lines() if line["file_id"] == found.file_id]
    assert landed["doc"] == {"who": landed["user_id"], "where": "p2", "at": "2024-01-02"}


@pytest.mark.parametrize(
    ("through", "said"),
    [
        ("head -n 1", "was given 2 lines and wrote 1"),
        ("false", "ended with 1"),
        ("no-such-command --at-all", "cannot be run"),
    ],
)
def test_a_command_that_does_not_mend_line_by_line_is_refused(
    home: Home, write: Write, through: str, said: str
) -> None:
    land(home, "sample", write("likes.jsonl", LATIN + LATIN))
    with pytest.raises(ReplayError, match=said):
        replay(home, through=through)
    assert len(ledger_rows(home)) == 1


def test_a_reason_that_there_is_not_is_refused_with_those_there_are(home: Home) -> None:
    with pytest.raises(ReplayError, match=r"'bad_time'.*not_text"):
        replay(home, reason="bad_time")


def test_without_anything_in_quarantine_there_is_nothing_to_replay(
    home: Home, write: Write
) -> None:
    land(home, "sample", write("likes.jsonl", GOOD))
    assert replay(home) == []


def test_the_ledger_of_an_older_home_gets_the_new_column(home: Home, write: Write) -> None:
    land(home, "sample", write("likes.jsonl", LATIN))
    ledger = Ledger(home)
    ledger._database.execute("alter table files drop column replays_file_id")
    ledger._database.commit()
    ledger.close()
    assert only(replay(home, through=TO_UTF8)).landed == 1
    assert [row["replays_file_id"] is None for row in ledger_rows(home)] == [True, False]
