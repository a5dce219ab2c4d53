import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import pytest

from models_ml.model_folder import CONTENT as MODEL_FILES
from models_ml.model_folder import GRAPH, ModelFolder
from serving.card import Provenance
from serving.release import (
    CARD,
    CONTENT,
    ReleaseError,
    open_release,
    pack,
    verify,
)
from tests.made import write_model


class Parts(TypedDict):
    model_folder: Path
    registry_pb: Path
    feature_schema: Path
    releases_dir: Path
    provenance: Provenance


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    model = tmp_path / "model"
    model.mkdir()
    for name in MODEL_FILES:
        (model / name).write_text(name)
    write_model(ModelFolder(model))
    registry, schema = tmp_path / "registry.pb", tmp_path / "feature_schema.json"
    registry.write_bytes(b"registry")
    schema.write_text("{}")
    return {
        "model_folder": model,
        "registry_pb": registry,
        "feature_schema": schema,
        "releases_dir": tmp_path / "releases",
        "provenance": Provenance(reason="the first"),
    }


def test_the_same_content_has_the_same_name_whatever_its_card_says(parts: Parts) -> None:
    first = pack(**parts)
    again = pack(**{**parts, "provenance": Provenance(reason="the second")})
    assert again.release_id == first.release_id
    assert again.card.reason == "the first"
    elsewhere = parts["releases_dir"].with_name("elsewhere")
    assert pack(**{**parts, "releases_dir": elsewhere}).release_id == first.release_id


@pytest.mark.parametrize("name", MODEL_FILES)
def test_other_content_has_another_name(parts: Parts, name: str) -> None:
    first = pack(**parts)
    with (parts["model_folder"] / name).open("a") as file:
        file.write(" ")
    assert pack(**parts).release_id != first.release_id


def test_the_name_is_what_sha256sum_computes(parts: Parts) -> None:
    release = pack(**parts)
    command = "sha256sum " + " ".join(sorted(CONTENT)) + " | sha256sum"
    done = subprocess.run(
        ["sh", "-c", command], cwd=release.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(release.release_id)


@pytest.mark.parametrize("name", CONTENT)
def test_a_changed_file_is_refused_by_name(parts: Parts, name: str) -> None:
    release = pack(**parts)
    assert verify(release.folder) == release
    with (release.folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ReleaseError, match=name):
        verify(release.folder)


def test_an_exported_network_is_content_like_any_other(parts: Parts) -> None:
    without = pack(**parts)
    (parts["model_folder"] / GRAPH).write_bytes(b"graph")
    release = pack(**parts)
    assert release.release_id != without.release_id
    assert (release.is_exported, without.is_exported) == (True, False)
    assert verify(release.folder) == release
    command = "sha256sum " + " ".join(sorted([*CONTENT, GRAPH])) + " | sha256sum"
    done = subprocess.run(
        ["sh", "-c", command], cwd=release.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(release.release_id)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_an_exported_network_that_was_changed_or_taken_away_is_refused(
    parts: Parts, damage: Callable[[Path], object]
) -> None:
    (parts["model_folder"] / GRAPH).write_bytes(b"graph")
    release = pack(**parts)
    damage(release.folder / GRAPH)
    with pytest.raises(ReleaseError, match=GRAPH):
        verify(release.folder)


def test_a_network_that_was_put_into_a_release_is_refused(parts: Parts) -> None:
    release = pack(**parts)
    (release.folder / GRAPH).write_bytes(b"graph")
    with pytest.raises(ReleaseError, match=GRAPH):
        verify(release.folder)


def test_a_release_under_a_false_name_is_refused(parts: Parts) -> None:
    release = pack(**parts)
    moved = release.folder.rename(release.folder.with_name("0" * 32))
    with pytest.raises(ReleaseError, match=release.release_id):
        verify(moved)
    assert verify(moved, release.release_id).release_id == release.release_id


def test_a_missing_part_is_named_and_nothing_is_left_behind(parts: Parts) -> None:
    (parts["model_folder"] / "vocabulary.json").unlink()
    with pytest.raises(ReleaseError, match=r"vocabulary\.json"):
        pack(**parts)
    assert not parts["releases_dir"].exists()


def test_a_folder_that_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"card\.json"):
        open_release(tmp_path)


def test_only_whole_releases_are_to_be_seen(parts: Parts) -> None:
    release = pack(**parts)
    assert [path.name for path in parts["releases_dir"].iterdir()] == [release.release_id]


def test_what_a_card_tells_of_figures_hinders_no_release(parts: Parts) -> None:
    release = pack(**parts)
    card = release.folder / CARD
    told = json.loads(card.read_text()) | {"metrics": {"ndcg_10": 0.1}, "reason": 3}
    card.write_text(json.dumps(told))
    opened = verify(release.folder)
    assert (opened.release_id, opened.card.metrics, opened.card.reason) == (
        release.release_id,
        {},
        None,
    )
    card.write_text(json.dumps(told | {"kind": "guess"}))
    with pytest.raises(ReleaseError, match="kind"):
        open_release(release.folder)
