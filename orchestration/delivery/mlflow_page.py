"""MLflow's own page on the home's records: the stock server, in an environment of its own.

The project has MLflow's client alone, for the whole of MLflow would hold back what the project has
newer (pyarrow). uv makes the server's environment from its lock and keeps it in its cache, so only
the first start downloads anything. The server is of the client's version, as the tables must be.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.home.console import say
from orchestration.home.environment import PROJECT
from serving.home import Home

LOCK = PROJECT / "requirements-mlflow.lock"


class PageError(RuntimeError):
    """There is no page to open, or nothing to open it with."""


def command(home: Home, port: int) -> list[str]:
    """Give what starts the server on *port* of loopback; it reads its store from the environment.

    Raises:
        PageError: a server keeps the records, there are none, or the environment is missing and
            cannot be made.
    """
    server = os.environ.get("TASTEMATE_MLFLOW")
    if server:
        raise PageError(f"The records are kept by {server} (TASTEMATE_MLFLOW): open its own page.")
    if not home.mlflow_database.exists():
        raise PageError(
            f"{home.mlflow_database}: nothing is recorded yet. Each run records what it trained: "
            "tastemate run"
        )
    uv = _uv()
    _make_environment(uv)
    return [
        *_in_environment(uv, "--offline"),
        "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip


def _in_environment(uv: str, *options: str) -> list[str]:
    """Give what goes before a command that is to run there."""
    python = ("--python", sys.executable)
    pins = ("--with-requirements", str(LOCK))
    return [uv, "tool", "run", "--quiet", *options, *python, *pins, "--from", "mlflow"]


def _make_environment(uv: str) -> None:
    """Have uv make it where it is not in uv's cache."""
    nothing = ("python", "-c", "")
    if _ended([*_in_environment(uv, "--offline"), *nothing]).returncode:
        say("MLflow's own environment is made, once: about 700 MB")
        made = _ended([*_in_environment(uv), *nothing])
        if made.returncode:
            raise PageError(
                f"MLflow's own environment could not be made from {LOCK}, for which the network is "
                f"needed, once: {made.stderr.strip()}"
            )


def _ended(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise PageError(
            "uv is not installed, which makes the environment of MLflow's page: pip install uv"
        )
    return found
