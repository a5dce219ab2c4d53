"""What is there counts, and not only what went in: on a copy of the demo's home."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest

from orchestration.cli.output import FAILED
from serving.home import Home
from tests.command import ROOT, hint, tastemate
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


def test_what_somebody_else_has_put_online_is_found_and_mended(home: Home, tmp_path: Path) -> None:
    """The stock tool, given an end before the newest events, puts people back to that moment."""
    copy = Home(Path(shutil.copytree(home.root, tmp_path / "home", symlinks=True)))
    exports = tastemate(copy.root, "env").stdout
    (manifest,) = copy.training_sets.glob("*/manifest.json")
    cut = json.loads(manifest.read_text())["cut_at"][:19]
    some = f"feast materialize 2000-01-01T00:00:00 {cut}"
    script = f"{exports}\ncd {shlex.quote(str(ROOT / 'feature_repo'))} && {some}"
    subprocess.run(["sh", "-c", script], capture_output=True, check=True)

    def found_wrong() -> str:
        found = reported("doctor", tastemate(copy.root, "doctor", "--json", check=False), FAILED)
        (wrong,) = (one["detail"] for one in found if one["what"] == "as published")
        return wrong

    assert "online as of an earlier moment" in found_wrong()
    with patch.dict(os.environ, {"TASTEMATE_ONLINE": "redis://127.0.0.1:1/5"}):
        # One that was never filled cannot differ, and nothing is counted against it.
        checks = copy.check_log.read_text()
        refused = tastemate(copy.root, "parity", check=False)
        assert refused.returncode == FAILED
        assert "nothing of this home was ever put into this online store" in refused.stderr
        assert copy.check_log.read_text() == checks
        assert "was ever put into the online store in use" in found_wrong()
    compared = tastemate(copy.root, "parity", check=False)
    assert compared.returncode == FAILED
    assert hint(copy.root, "materialize") in compared.stdout
    assert "were found to differ online" in found_wrong()
    done = tastemate(copy.root, "run")
    assert "what is there is not what was published" in done.stderr
    assert "are online as they are offline" in tastemate(copy.root, "parity").stdout
