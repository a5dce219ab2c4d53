"""The alias moved without MLflow, read by MLflow."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from orchestration.delivery.mlflow_alias import move_alias
from orchestration.delivery.mlflow_mirror import mirror
from orchestration.home.environment import exports
from serving import champion
from serving.home import Home
from tests.orchestration.release.test_diff import packed


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str, str]:
    """A home of which MLflow knows two releases; the second is live."""
    folder = tmp_path_factory.mktemp("mlflow")
    home = Home(folder / "home")
    ids = [
        packed(home, folder / name, layers=layers, ndcg=0.3, places=["a"])
        for name, layers in (("one", 2), ("other", 4))
    ]
    for release_id in ids:
        champion.promote(home, release_id, "i" * 16, "by a run")
        mirror(home)
    return home, ids[0], ids[1]


@pytest.fixture
def known(mirrored: tuple[Home, str, str], tmp_path: Path) -> tuple[Home, str, str]:
    """The same, in a home of the test's own."""
    home, one, other = mirrored
    return Home(Path(shutil.copytree(home.root, tmp_path / "home"))), one, other


def client(home: Home) -> MlflowClient:
    uri = exports(home)["MLFLOW_TRACKING_URI"]
    return MlflowClient(uri, uri)


def test_mlflow_says_what_is_live_afterwards(known: tuple[Home, str, str]) -> None:
    home, one, _ = known
    champion.promote(home, one, "j" * 16, "rolled back by hand")
    assert move_alias(home)
    version = client(home).get_model_version_by_alias("tastemate", "champion")
    assert version.tags["release_id"] == one
    assert (version.tags["index_id"], version.tags["reason"]) == ("j" * 16, "rolled back by hand")
    # The whole mirror has nothing to put right.
    assert mirror(home).version == str(version.version)


def test_what_mlflow_does_not_know_is_left_to_it(known: tuple[Home, str, str]) -> None:
    home, _, other = known
    champion.promote(home, "f" * 32, "j" * 16, "another")
    assert not move_alias(home)
    version = client(home).get_model_version_by_alias("tastemate", "champion")
    assert version.tags["release_id"] == other


@pytest.mark.parametrize(
    "change",
    [
        "drop table registered_model_aliases",
        "delete from registered_model_aliases",
        "alter table model_version_tags rename column workspace to room",
    ],
)
def test_tables_of_another_form_are_left_as_they_are(
    known: tuple[Home, str, str], change: str
) -> None:
    home, one, _ = known
    champion.promote(home, one, "j" * 16, "another")
    with closing(sqlite3.connect(home.mlflow_database)) as records, records:
        records.execute(change)
        before = list(records.iterdump())
    assert not move_alias(home)
    with closing(sqlite3.connect(home.mlflow_database)) as records:
        assert list(records.iterdump()) == before


def test_a_server_is_told_through_mlflow(
    known: tuple[Home, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMATE_MLFLOW", "http://127.0.0.1:9")
    assert not move_alias(known[0])
    assert not move_alias(Home(known[0].root / "empty"))
