"""What each small verb may load: of the libraries that cost time, these and no others."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serving import champion
from serving.home import Home
from tests.command import ROOT

HEAVY = (
    "bentoml", "confluent_kafka", "dagster", "dagster_dbt", "dbt", "duckdb", "faiss", "fastapi",
    "feast", "lifelines", "matplotlib", "mlflow", "numpy", "onnxruntime", "optuna", "pandas",
    "pyarrow", "redis", "scipy", "sklearn", "sqlalchemy", "torch", "transformers",
)  # fmt: skip
ARROW = {"numpy", "pyarrow"}
MAY_LOAD: dict[str, set[str]] = {
    "env": {"duckdb"},
    "status": {*ARROW, "duckdb"},
    "doctor": {*ARROW, "duckdb"},
    "release ls": ARROW,
    "release show LIVE": ARROW,
    "release promote LIVE": {*ARROW, "duckdb"},
    "slo": {*ARROW, "duckdb"},
}
"""By what is typed; LIVE stands for the id of what is live."""

TYPE = f"""
import sys
from orchestration.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


@pytest.fixture(scope="module")
def copy(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the demo's home: a promotion is something new for the next run."""
    folder = tmp_path_factory.mktemp("loading") / "home"
    return Home(Path(shutil.copytree(home.root, folder, symlinks=True)))


@pytest.mark.slow
@pytest.mark.parametrize("typed", MAY_LOAD)
def test_a_small_verb_loads_no_more_than_it_may(copy: Home, typed: str, tmp_path: Path) -> None:
    words = typed.replace("LIVE", champion.read(copy).release_id).split()
    done = subprocess.run(
        [sys.executable, "-c", TYPE, "--home", copy.root, *words],
        cwd=tmp_path, env={"PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.splitlines()[-1].split()) <= MAY_LOAD[typed]
