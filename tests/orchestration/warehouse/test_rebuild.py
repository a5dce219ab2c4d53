"""Days that are built as they come, and one of them again when later ones have been added."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from models_ml.typed_json import plain
from orchestration.home.environment import enter
from orchestration.landing import land, load_mapping
from orchestration.landing.mapping import SAMPLE
from orchestration.warehouse.rebuild import (
    RebuildError,
    Rebuilt,
    _differing,
    moment_of,
    rebuild,
    verdict,
)
from orchestration.warehouse.state_hash import ModelState, State, remember_published
from serving.home import Home
from tests.command import TASTEMATE

FIRST, LAST = "2024-03-01T04:00:00.000001Z", "2024-03-02T04:00:00Z"
SHOPS = {
    "source": "shops",
    "format": "jsonl",
    "events": {
        "file": "log.jsonl",
        "user": "user",
        "place": "shop",
        "time": {"column": "at", "unit": "iso"},
        "kind": "visit",
        "event_id": "number",
    },
}


def write(path: Path, documents: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))


def like(number: int, day: int, place: str = "p1") -> dict[str, Any]:
    at = f"2024-02-{day:02}T00:00:00Z"
    return {"_id": f"{number:024x}", "user_id": f"u{number % 3}", "contents_id": place,
            "like_time": at}  # fmt: skip


def built(home: Home, now: str, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv("TASTEMATE_NOW", now)
    command = [TASTEMATE, "--home", home.root, "build", "--exclude-resource-type", "unit_test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return remember_published(home)


@pytest.mark.slow
def test_a_day_is_rebuilt_as_it_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, documents = Home(tmp_path / "home"), tmp_path / "documents"
    enter(home)
    mapping = tmp_path / "shops.yml"
    mapping.write_text(yaml.safe_dump(SHOPS))
    log = [{"number": n, "user": "u1", "shop": "s1", "at": "2024-02-03", "was": "2024-02-04"}
           for n in range(3)]  # fmt: skip
    write(documents / "shops" / "log.jsonl", log)
    write(documents / "sample" / "likes.jsonl", [like(n, 1 + n) for n in range(9)])
    monkeypatch.setenv("TASTEMATE_NOW", "2024-03-01T03:00:00Z")
    land(home, SAMPLE, documents / "sample")
    land(home, load_mapping(mapping), documents / "shops")
    first = built(home, FIRST, monkeypatch)
    report = {"run_id": "first", "state": plain(first)}
    (home.reports / "run-first.json").write_text(json.dumps(report))

    # A day later: late rows and a correction, another reading of an old file, and a source whose
    # bulk load speaks of times long before.
    monkeypatch.setenv("TASTEMATE_NOW", "2024-03-02T03:00:00Z")
    write(documents / "sample" / "more" / "likes.jsonl", [like(3, 4, "p2"), like(20, 1)])
    land(home, SAMPLE, documents / "sample" / "more")
    SHOPS["events"]["time"]["column"] = "was"  # type: ignore[index]
    mapping.write_text(yaml.safe_dump(SHOPS))
    assert land(home, load_mapping(mapping), documents / "shops")[0].is_remapped
    mapping.write_text(yaml.safe_dump(SHOPS | {"source": "others"}))
    land(home, load_mapping(mapping), documents / "shops")

    # And somebody is excluded from then on.
    (user_id,) = pq.read_table(home.marts / "dim_users.parquet")["user_id"].to_pylist()[:1]
    home.excluded_people.write_text(f"user_id,since,until\n{user_id},2024-03-02T00:00:00Z,\n")

    again = rebuild(home, moment_of(FIRST))
    assert again.state == first
    assert (again.run_id, again.holds) == ("first", True)
    # A copied or moved home keeps its rebuilds, reading its own archive.
    assert not (again.folder / "raw" / home.lines.name).readlink().is_absolute()
    assert any((again.folder / "raw" / home.lines.name).iterdir())
    now = rebuild(home, moment_of(LAST), tmp_path / "last")
    assert now.state.models["marts/fct_events"].rows == 9 + 3 + 1 + 3
    assert now.run_id is None
    rows = pq.read_table(now.folder / "marts" / "fct_events.parquet").to_pylist()
    assert {row["user_id"] for row in rows if not row["is_counted"]} == {user_id}

    before = rebuild(home, moment_of("2024-01-01"), tmp_path / "before")
    assert (before.is_empty, before.is_well) == (True, False)
    assert "The first became known at 2024-02-01T00:00:00+00:00." in verdict(before)

    # What is not as published is told, model by model.
    models = {name: of for name, of in first.models.items() if name != "marts/dim_places"}
    users = replace(models["marts/dim_users"], hash="other")
    published = replace(first, models=models | {"marts/dim_users": users})
    assert _differing(again.state, published) == ["marts/dim_places", "marts/dim_users"]


def test_a_folder_that_no_rebuild_made_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, documents = Home(tmp_path / "home"), tmp_path / "documents"
    write(documents / "likes.jsonl", [like(1, 1)])
    monkeypatch.setenv("TASTEMATE_NOW", FIRST)
    land(home, SAMPLE, documents)
    with pytest.raises(RebuildError, match="no rebuild made it"):
        rebuild(home, moment_of(FIRST), documents)
    assert (documents / "likes.jsonl").exists()
    with pytest.raises(RebuildError, match="nothing has landed here"):
        rebuild(Home(tmp_path / "other"), moment_of(FIRST))


def test_a_model_that_was_added_since_contradicts_nothing(tmp_path: Path) -> None:
    at, users = "2024-03-01T04:00:00+00:00", ModelState(3, "a" * 64)
    then = State(at, "one", {"marts/fct_events": users})
    now = State(at, "other", {"marts/fct_events": users, "marts/dim_new": ModelState(1, "b" * 64)})
    rebuilt = Rebuilt(tmp_path, now, "r1", then, _differing(now, then))
    assert rebuilt.is_well
    assert rebuilt.report().holds
    assert "As run r1 published it; these it did not have yet: marts/dim_new." in verdict(rebuilt)
    # That one is gone, or holds something else, is another matter.
    other = State(at, "third", {**now.models, "marts/fct_events": ModelState(2, "c" * 64)})
    for state, published in ((then, now), (other, then)):
        differing = _differing(state, published)
        assert not Rebuilt(tmp_path, state, "r1", published, differing).holds


def test_a_moment_without_a_zone_is_utc() -> None:
    assert moment_of("2024-03-01") == datetime(2024, 3, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="such as 2024-03-01"):
        moment_of("yesterday")
