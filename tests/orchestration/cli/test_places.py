"""Sources that cannot be read, and places that cannot be written to: one sentence, and its code."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from orchestration.cli.output import FAILED
from orchestration.landing.ledger import Ledger
from serving.home import Home
from tests.command import TASTEMATE, tastemate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

USAGE = 2
NOBODY = 65_534
LIKE = '{"_id": "places-%d", "user_id": "u", "contents_id": "p", "like_time": "2026-01-01"}\n'


@pytest.fixture(scope="module")
def home(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the demo's home."""
    folder = tmp_path_factory.mktemp("places") / "home"
    return Home(Path(shutil.copytree(home.root, folder, symlinks=True)))


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk that cannot be written to."""
    disk = tmp_path_factory.mktemp("read only")
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here: it takes root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def told(done: subprocess.CompletedProcess[str], code: int, path: Path) -> str:
    """Check that a verb has ended with *code* and one sentence about *path*; give the sentence."""
    assert done.returncode == code, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert str(path) in last, last
    return last


WRITING = {
    "rebuild": (["rebuild", "--as-of", "2030-01-01"], "--out"),
    "train": (["train"], "--export"),
}


@pytest.mark.parametrize("verb", WRITING)
def test_a_place_that_cannot_be_written_to(
    home: Home, verb: str, read_only: Path, tmp_path: Path
) -> None:
    words, option = WRITING[verb]
    file = tmp_path / "a file"
    file.touch()
    for place, why in (
        (read_only / "here", "read-only file system"),
        (file / "below", "not a directory"),
        (Path("/proc/nothing"), "no such file or directory"),
    ):
        said = told(tastemate(home.root, *words, option, str(place), check=False), FAILED, place)
        assert said.endswith(f": {why}. Choose another place: {option} DIR")
    told(tastemate(home.root, *words, option, str(file), check=False), USAGE, file)
    assert file.read_bytes() == b""
    tastemate(home.root, *words, option, str(tmp_path / "there"))


def test_a_training_set_that_does_not_fit_is_no_training_set(home: Home, tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here: it takes root")
    try:
        done = tastemate(home.root, "train", "--export", str(tmp_path), check=False)
        assert "no space left on device" in told(done, FAILED, tmp_path)
        assert not (tmp_path / "manifest.json").exists()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.parametrize("verb", [["run"], ["env"], ["replay"], ["doctor"]])
def test_a_home_that_cannot_be_made(verb: list[str], tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    for place in (Path("/proc/nothing"), file / "below"):
        done = subprocess.run(
            [TASTEMATE, "--home", place, *verb], capture_output=True, text=True, check=False
        )
        assert "Choose another: tastemate --home DIR" in told(done, FAILED, place)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to(path.parent / "unmounted" / "likes.jsonl")


def a_disk_that_fails(path: Path) -> None:
    # Reading memory where there is none gives an input/output error, as a failing disk does.
    path.symlink_to("/proc/self/mem")


SOURCES = {
    a_folder: "is a folder, and a file is to be here",
    a_pipe: "is a pipe or a device, and a file is to be here",
    a_link_to_nothing: "what it is a link to is not there",
    a_disk_that_fails: "it cannot be read. Look at its disk",
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_cannot_be_read(home: Home, source, tmp_path: Path) -> None:
    path, landed = tmp_path / "likes.jsonl", _landed(home)
    source(path)
    verb = ["ingest", "--source", "sample", "--path", str(tmp_path)]
    assert SOURCES[source] in told(tastemate(home.root, *verb, check=False), FAILED, path)
    assert _landed(home) == landed
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.write_text(LIKE % list(SOURCES).index(source))
    tastemate(home.root, *verb)
    assert _landed(home) == landed + 1
    # What the home remembers is gone, as when a disk is not mounted.
    path.rename(tmp_path / "elsewhere")
    tmp_path.rename(tmp_path.with_name("unmounted"))
    said = told(tastemate(home.root, "ingest", check=False), FAILED, tmp_path)
    assert "look whether that is mounted" in said
    tmp_path.with_name("unmounted").rename(tmp_path)
    (tmp_path / "elsewhere").rename(path)
    assert "already landed" in tastemate(home.root, "ingest").stdout


def test_a_source_that_this_user_may_not_read() -> None:
    if os.geteuid() or not shutil.which("setpriv"):
        pytest.skip("to become another user takes root and setpriv")
    with TemporaryDirectory(prefix="tastemate-") as folder:
        theirs, path = Path(folder) / "home", Path(folder) / "likes.jsonl"
        path.write_text(LIKE % 99)
        path.chmod(0o600)
        theirs.mkdir()
        Path(folder).chmod(0o755)
        os.chown(theirs, NOBODY, NOBODY)
        done = subprocess.run(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
             TASTEMATE, "--home", theirs, "ingest", "--source", "sample", "--path", folder],
            cwd="/", env=os.environ | {"HOME": str(theirs)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if str(TASTEMATE) in done.stderr:
            pytest.skip("another user may not run what is installed here")
        assert "this user may not write or read it" in told(done, FAILED, path)


def _landed(home: Home) -> int:
    ledger = Ledger(home)
    try:
        return len(ledger.files())
    finally:
        ledger.close()
