"""A disk that is full or cannot be written to, and no memory: a sentence, nothing lost, and on."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from feature_repo.layout import Layout
from orchestration.cli.output import FAILED
from orchestration.landing.ledger import Ledger
from serving import champion
from serving.home import Home
from tests.command import TINY, tastemate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SIZE_MB = 160
ROOM_KB = (0, 300)
"""None at all, and enough for some files but not for all."""

Doing = Callable[[Home], list[str]]


def ingest(home: Home) -> list[str]:
    """Land another file of a megabyte."""
    like = {"user_id": "full", "contents_id": "p", "display_id": "map", "like_time": "2026-01-01"}
    lines = [json.dumps({"_id": f"full-{number}", **like}) for number in range(8000)]
    (home.sample_city.parent / "likes.jsonl").write_text("\n".join(lines) + "\n")
    return ["ingest", "--source", "sample", "--path", str(home.sample_city.parent)]


def publish(home: Home) -> list[str]:
    """Publish into a store that has lost everything."""
    with closing(sqlite3.connect(Layout(home.root).online_store)) as database, database:
        for table in ("tastemate_user_favor", "tastemate_place", "tastemate_marks"):
            database.execute(f"delete from {table}")
        database.execute("pragma journal_mode=delete")
    with closing(sqlite3.connect(Layout(home.root).online_store)) as database:
        database.execute("vacuum")
    return ["materialize"]


def release(home: Home) -> list[str]:
    return ["release", "promote", champion.read(home).release_id, "--reason", "a trial"]


DOING: dict[str, Doing] = {
    "ingest": ingest,
    "build": lambda _: ["build", "--full-refresh", "--exclude-resource-type", "unit_test"],
    "publish": publish,
    "train": lambda _: ["train", *TINY],
    "release": release,
}


@pytest.fixture(scope="module")
def small_disk(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A copy of the demo's home on a disk of its own, which a test may fill."""
    disk = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here, so none was filled: it takes root")
    try:
        shutil.copytree(home.root, disk / "home", symlinks=True)
        yield Home(disk / "home")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@contextmanager
def filled(home: Home, room_kb: int) -> Iterator[None]:
    """Leave so much room on the disk."""
    filler = home.root.parent / "filler"
    free = shutil.disk_usage(home.root).free
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - room_kb * 1024)
    try:
        yield
    finally:
        filler.unlink()


def is_one_sentence(told: str, path: Path) -> bool:
    """Say whether the last line is the error, names something of the home, and all is no trace."""
    last = told.strip().splitlines()[-1]
    return "Error: " in last and str(path) in last and "Traceback" not in told


@pytest.mark.parametrize("room_kb", ROOM_KB)
@pytest.mark.parametrize("what", DOING)
def test_a_full_disk_is_a_sentence_and_the_next_run_goes_on(
    small_disk: Home, what: str, room_kb: int
) -> None:
    home = small_disk
    verb = DOING[what](home)
    live, landed = champion.read(home), _landed(home)
    with filled(home, room_kb):
        done = tastemate(home.root, *verb, check=False)
        if done.returncode:
            assert done.returncode == FAILED
            assert is_one_sentence(done.stderr, home.root), done.stderr[-3000:]
            assert "no space is left" in done.stderr
            # What reports failure has not happened.
            assert champion.read(home) == live
        assert room_kb or done.returncode, done.stdout
        assert tastemate(home.root, "release", "ls").returncode == 0
    assert _landed(home) >= landed
    tastemate(home.root, *verb)


def test_after_all_that_a_run_converges(small_disk: Home) -> None:
    assert "succeeded" in tastemate(small_disk.root, "run").stdout
    assert champion.log(small_disk)[-1] == champion.read(small_disk)


def test_a_home_that_cannot_be_written_to(small_disk: Home) -> None:
    disk = str(small_disk.root.parent)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        for verb in (["ingest"], ["build"], ["materialize"], ["train"], release(small_disk)):
            done = tastemate(small_disk.root, *verb, check=False)
            assert done.returncode == FAILED, verb
            assert is_one_sentence(done.stderr, small_disk.root), done.stderr[-3000:]
            assert "cannot be written to" in done.stderr
        for verb in (["status"], ["release", "ls"], ["slo"]):
            tastemate(small_disk.root, *verb)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


def test_a_build_without_memory(small_disk: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMATE_MEMORY", "12MB")
    for verb in (["build", "--full-refresh"], ["rebuild", "--as-of", "2030-01-01"]):
        done = tastemate(small_disk.root, *verb, check=False)
        assert done.returncode == FAILED
        assert "a build needs more memory than TASTEMATE_MEMORY (12MB)" in done.stderr
        assert "Traceback" not in done.stderr


def _landed(home: Home) -> int:
    ledger = Ledger(home)
    try:
        return len(ledger.files())
    finally:
        ledger.close()
