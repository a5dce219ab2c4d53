import json
from pathlib import Path
from typing import Any

import pytest

from orchestration.landing import land
from orchestration.warehouse.schema_drift import Drift, drift_of
from serving.home import Home

USUAL = {"user_id": "ann", "contents_id": "p1", "like_time": "2024-01-01", "rating": None}


def landed(home: Home, path: Path, documents: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    (file,) = land(home, "sample", path)
    return file.file_id


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Home]:
    """One that landed ten usual likes, three of them with a note, and one to try a file in."""
    monkeypatch.delenv("TASTEMATE_KEYS", raising=False)
    home, scratch = Home(tmp_path / "home"), Home(tmp_path / "scratch")
    likes = [USUAL | {"_id": n} | ({"note": "x"} if n < 3 else {}) for n in range(10)]
    landed(home, tmp_path / "likes.jsonl", likes)
    return home, scratch


def test_what_is_new_or_missing_is_named(homes: tuple[Home, Home], tmp_path: Path) -> None:
    home, scratch = homes
    odd = {"user_id": "bob", "contents_id": 5, "rating": 4.5, "extra": {"deep": 1}}
    file_id = landed(scratch, tmp_path / "likes-2.jsonl", [odd | {"_id": n} for n in range(10)])
    assert drift_of(home, scratch, "sample", "likes", file_id) == [
        Drift("missing field", "like_time"),
        Drift("new field", "extra"),
        Drift("new field", "extra.deep"),
        Drift("new type", "contents_id UBIGINT"),
    ]


def test_of_a_few_documents_none_need_have_a_field(
    homes: tuple[Home, Home], tmp_path: Path
) -> None:
    home, scratch = homes
    file_id = landed(scratch, tmp_path / "likes-2.jsonl", [{"_id": 1, "user_id": "bob"}])
    assert drift_of(home, scratch, "sample", "likes", file_id) == []


def test_the_first_of_its_kind_differs_from_nothing(
    homes: tuple[Home, Home], tmp_path: Path
) -> None:
    home, scratch = homes
    file_id = landed(scratch, tmp_path / "reviews.jsonl", [USUAL | {"_id": 1}] * 20)
    assert drift_of(home, scratch, "sample", "reviews", file_id) == []
    assert drift_of(Home(tmp_path / "new"), scratch, "sample", "reviews", file_id) == []
