import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import feature_repo
from feature_repo import lock, parity
from feature_repo.settings import write_feature_store_yaml
from orchestration.home.environment import SILENT
from tests.feature_repo.conftest import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def folder(world: World) -> Path:
    """The folder from which people run `feast`, with a lock of this world's own."""
    world.write()
    copy = world.root / "feature_repo"
    copy.mkdir()
    for name in ("definitions.py", ".feastignore"):
        shutil.copy(Path(feature_repo.__file__).with_name(name), copy)
    # What `feast apply` must leave alone.
    (copy / "publish.py").write_text("raise RuntimeError('this module is none of its business')")
    lock.accept(world.root, copy / "features.lock.json")
    return copy


def test_stock_commands_apply_list_and_materialize(world: World, folder: Path) -> None:
    applied = feast(world, folder, "apply")
    assert applied.returncode == 0, applied.stderr
    assert "Created feature view user_favor" in applied.stdout
    assert applied.stderr == ""
    listed = feast(world, folder, "feature-views", "list")
    assert "user_favor" in listed.stdout
    assert listed.stderr == ""
    moved = feast(world, folder, "materialize", "2026-02-01T00:00:00", "2026-04-01T00:00:00")
    assert moved.returncode == 0, moved.stderr
    assert parity.check(world.root).holds


def test_stock_apply_refuses_what_the_lock_does_not_have(world: World, folder: Path) -> None:
    world.columns["place"]["opening_year"] = "integer"
    world.write()
    refused = feast(world, folder, "apply")
    assert refused.returncode != 0
    assert "view 'place': column 'opening_year' (integer) is new" in refused.stderr
    assert "tastemate plan --accept" in refused.stderr


def feast(world: World, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    settings = write_feature_store_yaml(world.root, "")
    return subprocess.run(
        [Path(sys.executable).with_name("feast"), *command],
        cwd=folder,
        env=os.environ | SILENT | {"FEAST_FS_YAML_FILE_PATH": str(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
