"""Makes the bento of a release: the release, the code that answers, and what that code installs.

A bento is built from a folder of its own, which holds the modules that the service
imports and nothing else, so neither the command line nor Dagster nor dbt can get in.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from serving.home import Home
from serving.processes import KILLED, is_killed
from serving.release import verify

_building = threading.Lock()
NAME = "tastemate"
SERVICE = "serving.service"
PACKAGES = ("feature_repo", "models_ml", "serving")
# What the service imports itself; what these need in turn is added, in the versions installed here.
INSTALLED = (
    "bentoml",
    "cryptography",
    "faiss-cpu",
    "fastapi",
    "feast[redis]",
    "numpy",
    "psutil",
    "pyarrow",
    "pydantic",
    "safetensors",
)
# What runs the network: of a release with an exported one, and of any other.
EXPORTED, EAGER = ("onnxruntime",), ("onnxruntime", "torch", "transformers")


class BentoError(Exception):
    """BentoML could not build the bento; the message ends with what it said."""


def build(home: Home, release_id: str) -> str:
    """Build the bento of a release into the home's BentoML store and return its tag.

    Does nothing if that very bento, from the same code, is already there.
    """
    release = verify(home.releases / release_id)
    tag = f"{NAME}:{release_id}"
    with _building, tempfile.TemporaryDirectory(prefix="tastemate-bento-") as folder:
        stage = Path(folder)
        modules = own_modules(SERVICE)
        for module, source in modules.items():
            target = stage / module
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        packages = requirements(INSTALLED + (EXPORTED if release.is_exported else EAGER))
        bentofile = _bentofile(tag, _hash(modules), packages)
        (stage / "bentofile.yaml").write_text(bentofile)
        stored = home.bentos / NAME / release_id
        if _is_built_from(stored, stage):
            return tag
        # A process of its own: BentoML keeps the first store it sees for as long as it runs.
        done = subprocess.run(  # noqa: S603 -- our own script
            [sys.executable, "-P", Path(__file__).with_name("packing.py"), tag, release.folder],
            cwd=stage,
            env=environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
    if is_killed(done.returncode):
        raise BentoError(f"{tag}: bentoml build {KILLED}. End something else, then try again.")
    if done.returncode:
        raise BentoError(f"{tag}: bentoml build failed. It said:\n{done.stdout}{done.stderr}")
    return tag


def build_ahead(home: Home, release_id: str) -> None:
    """Begin with `build` beside other work; who needs the bento waits for it."""

    def begun() -> None:
        # Who needs it tries again, and is told.
        with suppress(Exception):
            build(home, release_id)

    threading.Thread(target=begun, name="bento").start()


def environment(home: Home) -> dict[str, str]:
    """Give the environment in which BentoML works on *home*, offline and unwatched."""
    return os.environ | {
        "TASTEMATE_HOME": str(home.root),
        "TASTEMATE_KEYS": str(home.keys),
        "BENTOML_HOME": str(home.bentoml),
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
        "FEAST_TELEMETRY": "False",
        "FEAST_USAGE": "False",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


@cache
def own_modules(module: str) -> dict[str, Path]:
    """List the project's files that *module* imports, directly or not, by path in the project."""
    root = Path(__file__).resolve().parents[1]
    modules: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        path = waiting.pop().replace(".", "/")
        relative = f"{path}.py" if (root / f"{path}.py").is_file() else f"{path}/__init__.py"
        source = root / relative
        if relative in modules or not source.is_file():
            continue
        modules[relative] = source
        waiting += _imports(source)
        waiting += [str(parent).replace("/", ".") for parent in list(Path(path).parents)[:-1]]
    return dict(sorted(modules.items()))


@cache
def requirements(wanted: tuple[str, ...]) -> list[str]:
    """Pin *wanted* and all that it needs to the versions installed here."""
    pinned: dict[str, str] = {}
    seen = set()
    waiting = [Requirement(line) for line in wanted]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            installed = metadata.distribution(name)
            # A build such as 2.13.0+cpu is this machine's; another takes what its index offers.
            pinned[name] = f"{name}=={installed.version.partition('+')[0]}"
            needs = (Requirement(line) for line in installed.requires or ())
            waiting += [
                need
                for need in needs
                if need.marker is None or need.marker.evaluate({"extra": extra})
            ]
    return sorted(pinned.values())


def _imports(source: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.partition(".")[0] in PACKAGES}


def _bentofile(tag: str, source_hash: str, packages: list[str]) -> str:
    return yaml.safe_dump(
        {
            "service": f"{SERVICE}:Tastemate",
            "name": NAME,
            "labels": {"source": source_hash},
            "include": [f"{package}/**/*.py" for package in PACKAGES],
            "models": [tag],
            "python": {"packages": packages, "lock_packages": False},
            "description": f"# {tag}\n\nPeople of similar taste, and places to go next.\n",
        }
    )


def _hash(modules: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, source in modules.items():
        digest.update(f"{name} {hashlib.sha256(source.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _is_built_from(stored: Path, stage: Path) -> bool:
    """Compare labels and requirements, which BentoML keeps in its own copy of the bentofile."""
    try:
        kept = yaml.safe_load((stored / "src" / "bentofile.yaml").read_text())
    except FileNotFoundError:
        return False
    wanted = yaml.safe_load((stage / "bentofile.yaml").read_text())
    return bool(
        (stored / "bento.yaml").exists()
        and kept["labels"] == wanted["labels"]
        and kept["python"]["packages"] == wanted["python"]["packages"]
    )
