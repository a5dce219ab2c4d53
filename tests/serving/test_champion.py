import json
from pathlib import Path

import pytest

from serving import champion
from serving.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_nothing_is_live_before_the_first_promotion(home: Home) -> None:
    with pytest.raises(champion.NoChampionError, match="tastemate run"):
        champion.read(home)


def test_what_was_promoted_last_is_live(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMATE_NOW", "2025-03-01T12:00:00+00:00")
    champion.promote(home, "r1", "i1", "passed the gate")
    promoted = champion.promote(home, "r2", "i2", "better")
    assert champion.read(home) == promoted
    assert promoted.promoted_at == "2025-03-01T12:00:00+00:00"
    assert set(json.loads(home.champion.read_text())) == {
        "release_id",
        "index_id",
        "promoted_at",
        "reason",
    }


def test_each_promotion_is_remembered(home: Home) -> None:
    champion.promote(home, "r1", "i1", "first")
    champion.promote(home, "r2", "i2", "second")
    lines = (home.root / "champion.log.jsonl").read_text().splitlines()
    assert [json.loads(line)["release_id"] for line in lines] == ["r1", "r2"]


def test_a_promotion_leaves_no_draft_behind(home: Home) -> None:
    champion.promote(home, "r1", "i1", "first")
    assert sorted(path.name for path in home.root.iterdir()) == [
        "champion.json",
        "champion.log.jsonl",
    ]
