"""Files judged before they land; each dbt start is dear, so one folder holds every case."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.landing import land, load_mapping
from orchestration.landing.errors import MappingError
from orchestration.landing.mapping import SAMPLE
from orchestration.warehouse.validate import ReasonCount, sentence, validate
from serving.home import Home
from tests.command import tastemate

GOOD = {"_id": "a" * 24, "user_id": 1, "contents_id": "p1", "like_time": "2024-01-01T00:00:00Z"}


def lines(*documents: Any) -> bytes:
    return b"".join(
        document if isinstance(document, bytes) else json.dumps(document).encode() + b"\n"
        for document in documents
    )


@pytest.mark.slow
def test_each_file_is_judged_as_it_would_land(tmp_path: Path) -> None:
    folder, home = tmp_path / "in", Home(tmp_path / "home")
    folder.mkdir()
    (folder / "likes.jsonl").write_bytes(lines(GOOD, GOOD | {"_id": "b" * 24}))
    land(home, SAMPLE, folder)
    before = sorted(home.root.rglob("*"))
    worse = lines(
        GOOD, b"\xff\n", b"{\n", GOOD | {"like_time": "soon"}, GOOD, GOOD | {"user_id": None}
    )
    (folder / "likes-2.jsonl").write_bytes(worse)
    packed = gzip.compress(lines(*[GOOD | {"_id": "c" * 24}] * 9000))
    (folder / "likes-3.jsonl.gz").write_bytes(packed[:-9])
    (folder / "reviews.jsonl").write_bytes(b"")

    verdicts = {verdict.name: verdict for verdict in validate(home, SAMPLE, folder)}
    assert sorted(home.root.rglob("*")) == before
    good, bad = verdicts["likes.jsonl"], verdicts["likes-2.jsonl"]
    assert (good.is_fit, good.accepted, good.has_landed) == (True, 2, True)
    assert (bad.is_fit, bad.accepted, bad.duplicates, bad.has_landed) == (False, 0, 2, False)
    assert bad.reasons == {
        reason: ReasonCount(lines=1, first_lines=[number])
        for reason, number in (("bad_time", 4), ("no_user", 6), ("not_json", 3), ("not_text", 2))
    }
    assert "bad_time: 1, such as line 4" in sentence(bad)
    assert verdicts["likes-3.jsonl.gz"].is_truncated
    assert not verdicts["likes-3.jsonl.gz"].is_fit
    assert (verdicts["reviews.jsonl"].is_fit, verdicts["reviews.jsonl"].lines_in) == (True, 0)


@pytest.mark.slow
def test_the_command_says_it_to_people_and_programs(tmp_path: Path) -> None:
    log, mapping = tmp_path / "log.csv", tmp_path / "log.yml"
    events = {"file": "log.csv", "user": "who", "place": "where", "kind": "visit",
              "time": {"column": "when"}}  # fmt: skip
    mapping.write_text(yaml.safe_dump({"source": "log", "format": "csv", "events": events}))
    log.write_text("who,where,when\nanna,p1,2024-01-01\nbert,,2024-01-02\n")
    done = tastemate(tmp_path / "home", "validate", str(log), "--mapping", str(mapping), "--json",
                     check=False)  # fmt: skip
    assert done.returncode == 1
    (verdict,) = json.loads(done.stdout)
    assert (verdict["is_fit"], verdict["accepted"], verdict["quarantined"]) == (False, 1, 1)
    assert verdict["reasons"] == {"no_place": {"lines": 1, "first_lines": [2]}}
    assert not (tmp_path / "home").exists()


def test_a_file_that_cannot_land_is_refused_with_landings_own_words(tmp_path: Path) -> None:
    log, mapping = tmp_path / "log.csv", tmp_path / "log.yml"
    events = {"file": "log.csv", "user": "who", "place": "where", "order": "n", "kind": "visit"}
    mapping.write_text(yaml.safe_dump({"source": "log", "format": "csv", "events": events}))
    log.write_text("who,n\nanna,1\n")
    with pytest.raises(MappingError, match=r"the columns \['where'\]"):
        validate(Home(tmp_path / "home"), load_mapping(mapping), log)
