"""dbt without Dagster: its executable, and the manifest that everything else is read from."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import orjson

from orchestration.home.atomic_files import write_atomically
from orchestration.home.environment import DBT_PROJECT, exports
from orchestration.home.machine_faults import killed, words_in
from orchestration.warehouse.held import wait_until_free
from serving.home import Home
from serving.processes import is_killed

_parsing = threading.Lock()
_TRACEBACK = re.compile(r"Traceback \(|--- Logging error ---")
_DBT_LINE = re.compile(r"(\x1b\[\d+m)*\d\d:\d\d:\d\d")


class DbtError(RuntimeError):
    """dbt refused the project or a model; its own message is in the text."""


def project_hash() -> str:
    """Fingerprint everything in the dbt project that decides what a build gives and says."""
    digest = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        is_read = path.suffix in {".sql", ".yml", ".csv", ".md"}
        if is_read and not {"target", "logs"} & set(path.parts):
            digest.update(path.relative_to(DBT_PROJECT).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def ensure_manifest(home: Home) -> Path:
    """Parse the dbt project if it has changed since the manifest was made, or if that is no JSON.

    A dbt that is killed while it writes one leaves half of it.

    Raises:
        DbtError: dbt cannot parse the project.
    """
    manifest, stamp = home.manifest, home.manifest_stamp
    wanted = project_hash()
    with _parsing:
        if not (_is_json(manifest) and stamp.exists() and stamp.read_text() == wanted):
            _parse(home)
            write_atomically(stamp, wanted)
    return manifest


def parse_ahead(home: Home) -> None:
    """Begin with `ensure_manifest` beside other work; whoever needs the manifest waits for it."""

    def parse() -> None:
        # Who needs it tries again, and is told.
        with suppress(DbtError, OSError):
            ensure_manifest(home)

    threading.Thread(target=parse, name="dbt parse").start()


def _is_json(path: Path) -> bool:
    try:
        orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return False
    return True


def _parse(home: Home) -> None:
    """Have dbt parse the project, and put what it makes of it in place, the manifest last."""
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".parse-", dir=home.dbt) as folder:
        done = subprocess.run(  # noqa: S603 - our own command
            [dbt_executable(), "--quiet", "parse"],
            cwd=DBT_PROJECT, env=os.environ | exports(home) | {"DBT_TARGET_PATH": folder},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if is_killed(done.returncode):
            raise DbtError(killed("dbt parse", home))
        if done.returncode:
            text = done.stdout.strip() or done.stderr.strip()
            raise DbtError(f"dbt parse: {words_in(text, home) or text}")
        made = [path for path in Path(folder).iterdir() if path.is_file()]
        for path in sorted(made, key=lambda path: path.name == home.manifest.name):
            path.replace(home.dbt_target / path.name)


def run_dbt(
    home: Home, *arguments: str, now: datetime | None = None, tell: Callable[[str], object]
) -> None:
    """Run dbt on *home* as of *now*, and hand each line that it prints to *tell*.

    Raises:
        DbtError: dbt failed.
        WarehouseHeldError: another process has the warehouse open, and goes on having it open.
    """
    wait_until_free(home)
    environment = os.environ | exports(home)
    if now is not None:
        environment["TASTEMATE_NOW"] = now.isoformat()
    said: deque[str] = deque(maxlen=30)
    with subprocess.Popen(  # noqa: S603 - our own command
        [dbt_executable(), "--no-use-colors", *arguments],
        cwd=DBT_PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            tell(line)
            said.append(line)
    if is_killed(process.returncode):
        raise DbtError(killed(f"dbt {arguments[0]}", home))
    if process.returncode:
        text = "".join(said).strip()
        raise DbtError(f"dbt {arguments[0]}: {words_in(text, home) or text}")


def run_dbt_aloud(home: Home, *arguments: str) -> None:
    """Run dbt on *home* as a person would, its output passed on line by line.

    Tracebacks are left out: where the machine refused something, a sentence says so.

    Raises:
        DbtError: dbt failed; its output, which has been passed on, says why.
        WarehouseHeldError: another process has the warehouse open, and goes on having it open.
    """
    wait_until_free(home)
    said: deque[str] = deque(maxlen=400)
    is_traceback = False
    with subprocess.Popen(  # noqa: S603 - dbt, with what its user typed
        [dbt_executable(), *arguments],
        cwd=DBT_PROJECT, env=os.environ | exports(home), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            said.append(line)
            if _TRACEBACK.search(line):
                is_traceback = True
            elif _DBT_LINE.match(line):
                is_traceback = False
            if not is_traceback:
                print(line, end="", flush=True)  # noqa: T201 - what dbt prints
    if is_killed(process.returncode):
        raise DbtError(killed(f"dbt {arguments[0]}", home))
    if process.returncode:
        raise DbtError(words_in("".join(said), home) or "dbt failed; what it said stands above.")


def dbt_executable() -> str:
    """Find the dbt of this environment, also when the environment is not activated."""
    return str(Path(sys.executable).with_name("dbt"))
