"""A run that is stopped in each of its steps, one after the other, and always goes on.

pytest tests/kills.py

Not one of the tests that run by themselves: each stop costs what came before it once more.
"""

import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from serving.home import Home
from tests.command import TASTEMATE, TINY, conserved
from tests.sample_city import make_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

STEP = re.compile(r"▸ (\w+)")
AT_THE_END = {"release__index", "release__champion", "delivery__run_report"}
SAMPLE = ["--source", "sample", "--events", "3000"]


def stop_in_a_new_step(home: Path, seen: set[str], with_signal: int, patience: float) -> int:
    """Run until a step begins that was not seen before, and stop that; give the exit code."""
    process = subprocess.Popen(
        [TASTEMATE, "--home", home, "run", *SAMPLE, *TINY],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    told, stopped = [], ""
    for line in process.stderr:
        told.append(line)
        step = STEP.search(line)
        if step and step[1] not in seen:
            stopped = step[1]
            seen.add(stopped)
            time.sleep(patience)
            os.killpg(process.pid, with_signal)
            break
    rest = process.stderr.readlines()
    process.wait()
    # Short steps may have come and gone before the stop: those have been passed, too.
    seen.update(step[1] for line in rest if (step := STEP.search(line)))
    told += rest
    # Only in the last steps, which take no time, may a stop come too late.
    assert process.returncode or stopped in {"", *AT_THE_END}, "".join(told)
    assert not any("✗" in line or "↻" in line for line in told), "".join(told)
    return process.returncode


def test_a_run_stopped_in_every_step_goes_on(tmp_path: Path) -> None:
    # What a shell started in the background ignores Ctrl-C, and so would the runs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home = Home(tmp_path / "home")
    make_city(home, 3000)
    chance = random.Random(0)  # noqa: S311 - the moment of a kill is no secret
    seen: set[str] = set()
    ended, count = None, 0
    while ended != 0:
        with_signal = (signal.SIGKILL, signal.SIGINT)[count % 2]
        ended = stop_in_a_new_step(home.root, seen, with_signal, chance.uniform(0, 1))
        assert ended in {0, 130, -signal.SIGKILL, -signal.SIGINT}
        count += 1
    report = json.loads((home.reports / "latest.json").read_text())
    assert {step["name"] for step in report["steps"]} <= seen
    assert conserved(report)
    dirt = json.loads((home.root / "sample_city" / "truth" / "dirt.json").read_text())
    for file in report["files"]:
        assert file["accepted"] == dirt[file["kind"]]["good"]
    assert report["parity"]["holds"]
    assert (home.releases / report["release_id"]).is_dir()
