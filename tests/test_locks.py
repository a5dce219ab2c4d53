"""The locks of two packages that may not import each other, and of earlier versions: one kind."""

import fcntl
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import feature_repo.files
import models_ml.files

Hold = Callable[[Path, Exception], AbstractContextManager[None]]
MODULES = (feature_repo.files, models_ml.files)
HOLDER = """
import sys, time
from pathlib import Path
from {module} import hold
with hold(Path(sys.argv[1]), RuntimeError()):
    print("held", flush=True)
    time.sleep(600)
"""


class BusyError(Exception):
    pass


@pytest.fixture(params=MODULES, ids=lambda module: module.__name__)
def hold(request: pytest.FixtureRequest) -> Hold:
    return request.param.hold


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "landing.lock"


def refused(hold: Hold, path: Path) -> bool:
    try:
        with hold(path, BusyError()):
            return False
    except BusyError:
        return True


def test_a_held_lock_is_refused(hold: Hold, path: Path) -> None:
    with hold(path, BusyError()):
        assert refused(hold, path)


def test_an_earlier_version_keeps_out(hold: Hold, path: Path) -> None:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert refused(hold, path)


def test_an_earlier_version_is_kept_out(hold: Hold, path: Path) -> None:
    with hold(path, BusyError()), path.open("w") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_an_error_lets_go(hold: Hold, path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(path, BusyError()):
        raise ZeroDivisionError
    assert not refused(hold, path)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_kill_lets_go(module: object, hold: Hold, path: Path) -> None:
    holder = [sys.executable, "-c", HOLDER.format(module=module.__name__), path]
    with subprocess.Popen(holder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = process.stdout.readline()
        is_refused = refused(hold, path)
        process.kill()
    assert (told, is_refused) == ("held\n", True)
    assert not refused(hold, path)
