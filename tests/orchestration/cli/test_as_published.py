"""What is there counts, and not only what went in: on a copy of the demo's home."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration.cli.output import FAILED
from serving.home import Home
from tests.command import ROOT, tastemate
from tests.orchestration.cli.reported import reported

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_after_a_build_without_rows_a_run_brings_all_in_order(home: Home, tmp_path: Path) -> None:
    copy = Home(Path(shutil.copytree(home.root, tmp_path / "home", symlinks=True)))
    assert "Nothing new" in tastemate(copy.root, "run").stdout
    exports = tastemate(copy.root, "env").stdout
    script = f"{exports}\ncd {shlex.quote(str(ROOT / 'dbt_project'))} && dbt run --empty"
    subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    found = reported("doctor", tastemate(copy.root, "doctor", "--json", check=False), FAILED)
    wrong = {one["what"]: one["detail"] for one in found if not one["ok"]}
    assert "marts/fct_events: 0 rows" in wrong["as published"]
    refused = tastemate(copy.root, "materialize", check=False)
    assert refused.returncode == FAILED
    assert "--take-offline" in refused.stderr
    done = tastemate(copy.root, "run", "--json")
    assert reported("run", done)["status"] == "succeeded"
    assert "what is there is not what was published" in done.stderr
    tastemate(copy.root, "doctor")
