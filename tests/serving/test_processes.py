import subprocess
import sys
from pathlib import Path

import pytest

from serving.processes import KILLED, ending, is_killed
from serving.server import Server, ServerError


def test_a_service_that_is_killed_is_named_so(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    log.touch()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process.kill()
    with pytest.raises(ServerError, match=f"the service {KILLED}"):
        Server(process, "http://127.0.0.1:1", log).wait()  # type: ignore[arg-type]
    assert is_killed(process.returncode)


def test_any_other_end_is_told_by_its_return_code() -> None:
    assert ending(137) == KILLED
    assert ending(1) == "ended with 1"
    assert ending(-15) == "ended with -15"
