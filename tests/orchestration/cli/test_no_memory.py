"""No memory, and processes that are killed for want of it: a sentence, nothing lost, and on."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from feature_repo.layout import Layout
from orchestration.cli.output import FAILED
from orchestration.landing.ledger import Ledger
from serving import champion
from serving.home import Home
from serving.processes import KILLED
from tests.command import ROOT, TASTEMATE, TINY, tastemate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WITHOUT_MEMORY = """
import importlib, resource, sys
from pathlib import Path

from orchestration.cli import main

module, _, place = sys.argv[1].partition(":")
holder = importlib.import_module(module)
*within, name = place.split(".")
for part in within:
    holder = getattr(holder, part)
work = getattr(holder, name)

def without_memory(*arguments, **options):
    # Room for what tells of it, and none for what the stage is about to take.
    here = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (here + 64_000_000, most))
    try:
        taken = {take}
        return work(*arguments, **options)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

setattr(holder, name, without_memory)
main(sys.argv[2:])
"""
PYTHON, TORCH = "bytearray(4_000_000_000)", "importlib.import_module('torch').empty(1_000_000_000)"

STAGES = {
    "ingest": ("orchestration.landing.archive:ArchivedFile.add", PYTHON, "landed: "),
    "publish": ("feature_repo.protos:rows", PYTHON, "materialize: "),
    "train": ("models_ml.training.run:Training.step", TORCH, "model__recommender: "),
    "release": ("orchestration.release.live:promote", PYTHON, "release: "),
}
"""By stage: where it runs out of memory, what asks for too much, and how the sentence begins."""


@pytest.fixture(scope="module")
def home(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the demo's home, on which things go wrong."""
    folder = tmp_path_factory.mktemp("memory") / "home"
    return Home(Path(shutil.copytree(home.root, folder, symlinks=True)))


def verb_of(stage: str, home: Home) -> list[str]:
    """Give something to do to a stage, and the verb that does it."""
    match stage:
        case "ingest":
            source = home.root.parent / "likes.jsonl"
            like = {"user_id": "u", "contents_id": "p", "like_time": "2026-01-01"}
            lines = (json.dumps({"_id": f"memory-{n}", **like}) for n in range(50))
            source.write_text("\n".join(lines) + "\n")
            return ["ingest", "--source", "sample", "--path", str(source)]
        case "publish":
            with closing(sqlite3.connect(Layout(home.root).online_store)) as store, store:
                for table in ("tastemate_user_favor", "tastemate_place", "tastemate_marks"):
                    store.execute(f"delete from {table}")
            return ["materialize"]
        case "train":
            return ["train", *TINY, "--seed", "5"]
    return ["release", "promote", champion.read(home).release_id, "--reason", "a trial"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_without_memory_is_a_sentence_and_the_next_run_goes_on(
    home: Home, stage: str, tmp_path: Path
) -> None:
    where, take, begin = STAGES[stage]
    verb, live, landed = verb_of(stage, home), champion.read(home), _landed(home)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY.replace("{take}", take), where,
         "--home", str(home.root), *verb],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == FAILED, done.stderr[-3000:]
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"Error: {begin}{home.root}: there is not enough memory. "), last
    assert "Traceback" not in done.stderr
    assert (champion.read(home), _landed(home)) == (live, landed)
    tastemate(home.root, *verb)
    assert _landed(home) == landed + (stage == "ingest")


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        (["build"], "dbt build"),
        (["rebuild", "--as-of", "2030-01-01"], "dbt build"),
        (["run"], "dbt"),
    ],
    ids=["build", "rebuild", "run"],
)
def test_a_dbt_that_is_killed_is_named(home: Home, verb: list[str], says: str) -> None:
    if verb == ["run"]:
        tastemate(home.root, *verb_of("ingest", home))
    with subprocess.Popen(
        [TASTEMATE, "--home", home.root, *verb],
        cwd=home.root.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr
        with ThreadPoolExecutor(max_workers=1) as reader:
            reading = reader.submit(process.stderr.read)
            while process.poll() is None:
                _kill_dbt(process.pid)
                time.sleep(0.05)
            told = reading.result()
    assert process.returncode == FAILED
    last = told.strip().splitlines()[-1]
    assert f"{says} {KILLED}." in last, told
    assert str(home.root) in last
    assert "Traceback" not in told
    tastemate(home.root, *verb)


def _kill_dbt(parent: int) -> None:
    """Kill a dbt that builds."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(parent).children(recursive=True):
            words = child.cmdline()
            if "build" in words and any(Path(word).name == "dbt" for word in words):
                child.kill()


def test_after_all_that_a_run_converges(home: Home) -> None:
    assert "succeeded" in tastemate(home.root, "run").stdout
    assert "NOT" not in tastemate(home.root, "doctor").stdout


def _landed(home: Home) -> int:
    ledger = Ledger(home)
    try:
        return len(ledger.files())
    finally:
        ledger.close()
