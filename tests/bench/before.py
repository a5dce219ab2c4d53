"""The build that a benchmark compares with: another commit, in a worktree set up by itself."""

import os
import subprocess
from pathlib import Path

from tests.bench.figures import FOLDER

ROOT = Path(__file__).parents[2]


def built(commit: str) -> Path:
    """Check *commit* out below `.bench/` and set it up, once; return its `tastemate`."""
    folder = FOLDER / commit
    tastemate = folder / ".venv" / "bin" / "tastemate"
    if not (folder / "Makefile").exists():
        _run("git", "worktree", "prune", at=ROOT)
        _run("git", "worktree", "add", "--detach", str(folder), commit, at=ROOT)
    if not tastemate.exists():
        _run("make", "setup", at=folder)
    return tastemate


def _run(*command: str, at: Path) -> None:
    # What this environment is set to must not lead into the other one.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_")}
    subprocess.run(command, cwd=at, env=kept, check=True)
