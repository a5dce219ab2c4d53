"""What MLflow's page needs before it can be opened."""

import re
from pathlib import Path

import pytest

from orchestration.delivery import mlflow_page
from orchestration.home.environment import exports
from serving.home import Home
from tests.command import ROOT


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with records."""
    home = Home(tmp_path / "home")
    home.mlflow.mkdir(parents=True)
    home.mlflow_database.touch()
    return home


def test_an_empty_store_is_not_opened(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(mlflow_page.PageError, match="nothing is recorded yet"):
        mlflow_page.command(home, 5000)
    assert not home.root.exists()


def test_a_server_that_keeps_the_records_has_a_page_of_its_own(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMATE_MLFLOW", "http://127.0.0.1:5999")
    with pytest.raises(mlflow_page.PageError, match=r"by http://127\.0\.0\.1:5999"):
        mlflow_page.command(home, 5000)
    # A stock server must not take the other one for its store.
    assert "MLFLOW_BACKEND_STORE_URI" not in exports(home)


def test_without_uv_it_says_how_to_get_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_page.sys, "executable", str(home.root / "bin" / "python"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(mlflow_page.PageError, match="pip install uv"):
        mlflow_page.command(home, 5000)


def test_without_the_network_the_first_start_says_what_it_is_needed_for(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(mlflow_page.PageError, match="the network is needed, once"):
        mlflow_page.command(home, 5000)


def test_a_stock_server_finds_the_records_where_clients_write_them(home: Home) -> None:
    told = exports(home)
    assert told["MLFLOW_BACKEND_STORE_URI"] == told["MLFLOW_TRACKING_URI"]


def test_the_server_is_of_the_version_that_writes_the_records() -> None:
    pinned = {
        name: dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", mlflow_page.LOCK.name)
    }
    client = pinned["requirements.lock"]["mlflow-skinny"]
    assert pinned[mlflow_page.LOCK.name]["mlflow"] == client
