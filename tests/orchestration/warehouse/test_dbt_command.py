"""The manifest that everything is read from, and who keeps dbt off a home."""

import json
import os
import subprocess

import pytest

from orchestration.home.environment import DBT_PROJECT, enter, exports
from orchestration.home.lock import BusyError, alone, alone_rebuilding
from orchestration.warehouse import dbt_command
from orchestration.warehouse.dbt_command import dbt_executable, ensure_manifest
from serving.home import Home
from tests.command import tastemate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("dbt") / "home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in exports(home).items():
            patch.setenv(name, value)
        enter(home)
        ensure_manifest(home)
    return home


def stock_dbt(home: Home, *arguments: str, held: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | exports(home) | {"HELD_HOME": held}
    return subprocess.run(
        [dbt_executable(), *arguments],
        cwd=DBT_PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("cut", ["", '{"nodes": {"model.tastemate.user_fav', None])
def test_a_manifest_that_was_cut_or_is_gone_is_made_anew(home: Home, cut: str | None) -> None:
    whole = json.loads(home.manifest.read_text())
    if cut is None:
        home.manifest.unlink()
    else:
        home.manifest.write_text(cut)
    ensure_manifest(home)
    assert json.loads(home.manifest.read_text())["nodes"].keys() == whole["nodes"].keys()
    assert not list(home.dbt.glob(".parse-*"))


def test_a_manifest_that_is_whole_is_left_as_it_is(home: Home) -> None:
    before = home.manifest.stat()
    ensure_manifest(home)
    assert home.manifest.stat() == before


def test_who_needs_the_manifest_waits_for_one_that_has_begun(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed, parse = [], dbt_command._parse
    monkeypatch.setattr(dbt_command, "_parse", lambda home: (parsed.append(home), parse(home)))
    home.manifest.unlink()
    dbt_command.parse_ahead(home)
    ensure_manifest(home)
    assert parsed == [home]
    assert home.manifest.exists()


def test_dbt_keeps_off_a_home_that_somebody_else_works_on(home: Home) -> None:
    show = ("show", "--inline", "select 1 as one")
    with alone(home):
        refused = stock_dbt(home, *show)
        own = stock_dbt(home, *show, held=os.environ["HELD_HOME"])
    assert refused.returncode
    assert "another run is working on this home" in refused.stdout
    assert own.returncode == 0, own.stdout
    assert "HELD_HOME" not in os.environ
    assert stock_dbt(home, *show).returncode == 0


@pytest.mark.parametrize("verb", ["build", "apply", "materialize", "run", "train"])
def test_what_would_disturb_is_kept_out(home: Home, verb: str) -> None:
    with alone(home):
        done = tastemate(home.root, verb, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "another run is working on this home" in done.stderr


def test_a_past_day_is_not_built_beside_a_forgetting(home: Home) -> None:
    with alone_rebuilding(home):
        done = tastemate(home.root, "rebuild", "--as-of", "2026-01-01", check=False)
        with pytest.raises(BusyError), alone_rebuilding(home):
            raise AssertionError("twice")
    assert done.returncode == 1
    assert "somebody is being forgotten" in done.stderr
