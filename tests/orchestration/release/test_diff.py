"""What parts two releases."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.release.diff import Difference, diff_releases, sentence
from orchestration.release.live import named
from serving import champion
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


def schema(**columns: str) -> Any:
    told = [{"name": name, "type": kind} for name, kind in columns.items()]
    view = {"view": "user_favor", "key": "user_id", "timestamp": "known_at", "ttl_days": 0}
    return {"services": [{"service": "s", "views": [{**view, "columns": told}]}]}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            Difference("features", schema(a="Int64", b="Int64"), schema(a="String", c="Int64")),
            "features: + user_favor.c, - user_favor.b, ~ user_favor.a Int64 -> String",
        ),
        (Difference("features", {}, {"other": 1}), "features: the same columns, otherwise served"),
        (Difference("ndcg_10 time", 0.25, None), "ndcg_10 time: 0.2500 -> nothing"),
        (Difference("form: pointer", first=False, second=True), "form: pointer: no -> yes"),
        (Difference("form: sizes", [1, 2], []), "form: sizes: 1, 2 -> none"),
    ],
)
def test_a_difference_is_told_in_words(one: Difference, words: str) -> None:
    assert sentence(one) == words


def test_an_id_may_be_cut_short_where_it_is_clear(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for name in ("aa11", "aa22", "bb"):
        (home.releases / name).mkdir(parents=True)
    assert [named(home, told) for told in ("aa1", "aa22", "b")] == ["aa11", "aa22", "bb"]
    with pytest.raises(ReleaseError, match="several begin with aa: aa11, aa22"):
        named(home, "aa")
    for unknown in ("c", ""):
        with pytest.raises(ReleaseError, match="Those that are there: aa11, aa22, bb"):
            named(home, unknown)
    with pytest.raises(champion.NoChampionError):
        named(home)
    champion.promote(home, "bb", "i", "because")
    assert named(home) == "bb"
