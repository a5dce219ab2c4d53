import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.warehouse.held import WarehouseHeldError, wait_until_free
from serving.home import Home

SHELL = (
    "import duckdb, sys, time; held = duckdb.connect(sys.argv[1]); print('open', flush=True); "
    "time.sleep(float(sys.argv[2])); held.close(); time.sleep(60)"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.warehouse.parent.mkdir(parents=True)
    duckdb.connect(home.warehouse).close()
    return home


@pytest.fixture
def shell(home: Home, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has the warehouse open for so many seconds."""
    command = [sys.executable, "-c", SHELL, str(home.warehouse), str(request.param)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


@pytest.mark.parametrize("shell", [60], indirect=True)
def test_who_holds_the_warehouse_is_named(home: Home, shell: subprocess.Popen[str]) -> None:
    with pytest.raises(WarehouseHeldError, match=f"process {shell.pid} has it open"):
        wait_until_free(home, patience_s=0.1)


@pytest.mark.parametrize("shell", [1], indirect=True)
def test_a_session_that_ends_is_waited_for(home: Home, shell: subprocess.Popen[str]) -> None:
    wait_until_free(home, patience_s=60)
    assert shell.poll() is None
    duckdb.connect(home.warehouse).close()


def test_where_nothing_is_built_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    home = Home(tmp_path / "other")
    wait_until_free(home, patience_s=0)
    assert not home.warehouse.exists()
