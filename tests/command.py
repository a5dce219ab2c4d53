"""The command as a person would run it, and what its report must always hold."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TASTEMATE = Path(sys.executable).with_name("tastemate")
TINY = ["--preset", "tiny"]


def tastemate(home: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, from elsewhere."""
    done = subprocess.run(
        [TASTEMATE, "--home", home, *arguments],
        cwd=home.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr[-4000:]
    return done


def hint(home: Path, verb: str) -> str:
    """Give *verb* as a message names it where the home was named, too."""
    return f"tastemate --home {shlex.quote(str(home))} {verb}"


def conserved(report: dict[str, Any]) -> bool:
    counted = ("accepted", "duplicates", "quarantined", "erased")
    return bool(report["files"]) and all(
        file["lines_in"] == sum(file[name] for name in counted) for file in report["files"]
    )
