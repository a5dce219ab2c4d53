"""What parts two releases."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.release.diff import Difference, diff_releases
from serving.card import Provenance
from serving.home import Home
from serving.release import ReleaseError, pack
from tests.made import RANKS


def packed(home: Home, scratch: Path, *, layers: int, ndcg: float, places: list[str]) -> str:
    """Pack a release of made-up parts; give its id."""
    scratch.mkdir()
    config: dict[str, Any] = {
        "kind": "model", "name": "bert", "architecture": {"layers": layers, "heads": 2},
        "preset": "small", "seed": 0, "training_set_hash": "ab" * 32, "excludes_seen": False,
    }  # fmt: skip
    (scratch / "config.json").write_text(json.dumps(config))
    (scratch / "model.safetensors").write_text("weights")
    (scratch / "vocabulary.json").write_text("{}")
    (scratch / "registry.pb").write_text("registry")
    (scratch / "feature_schema.json").write_text("{}")
    pq.write_table(pa.table({"place_id": places}), scratch / "places.parquet")
    card = Provenance(
        reason="passes the gate",
        as_of="2026-01-01",
        metrics={"time": {"model": replace(RANKS, ndcg_10=ndcg)}},
    )
    made = pack(
        scratch, scratch / "registry.pb", scratch / "feature_schema.json", home.releases, card
    )
    return made.release_id


def test_only_what_differs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMATE_NOW", "2026-01-02T00:00:00+00:00")
    home = Home(tmp_path / "home")
    one = packed(home, tmp_path / "one", layers=2, ndcg=0.3, places=["a", "b", "c"])
    other = packed(home, tmp_path / "other", layers=4, ndcg=0.4, places=["b", "c", "d", "e"])
    found = {told.what: told for told in diff_releases(home, one, other)}
    # Files of other content have other sizes, which is told, too.
    found.pop("bytes", None)
    assert found == {
        "form: layers": Difference("form: layers", 2, 4),
        "ndcg_10 time": Difference("ndcg_10 time", 0.3, 0.4),
        "places that the other does not know": Difference(
            "places that the other does not know", 1, 2
        ),
    }
    assert diff_releases(home, one, one) == []


def test_what_is_no_release_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    one = packed(home, tmp_path / "one", layers=2, ndcg=0.3, places=["a"])
    with pytest.raises(ReleaseError, match="no release"):
        diff_releases(home, one, "f" * 32)
