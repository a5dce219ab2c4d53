"""The best baseline is live before the first model has learned, and gives way to it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models_ml.evaluation.report import Evaluation
from models_ml.model_folder import ModelFolder
from orchestration.cli.output import FAILED
from orchestration.model.store import current_model, remember_model, remember_training_set
from orchestration.release import choice, first_answer, live
from orchestration.release.pack import PAGE
from serving import champion, index
from serving.home import Home
from serving.release import open_release, verify
from tests.command import ROOT, TINY, hint, tastemate
from tests.made import HASH, training_record, write_manifest, write_model

MANY = 100_000


def prepared(folder: Path, events: int = MANY) -> Home:
    """A home whose training set has so many events, and nothing else."""
    home = Home(folder)
    remember_training_set(home, write_manifest(home.training_sets / HASH[:16], events=events))
    return home


def test_before_a_long_first_training_nothing_speaks_against_it(tmp_path: Path) -> None:
    home = prepared(tmp_path)
    assert first_answer.reason_against(home, None) == ""
    assert first_answer.reason_against(home, "base") == ""


@pytest.mark.parametrize(
    ("events", "preset"),
    # The demo's preset never reads so many events, however many there are.
    [(1000, "base"), (10 * MANY, "small"), (10 * MANY, "tiny")],
)
def test_it_does_nothing_before_a_short_training(tmp_path: Path, events: int, preset: str) -> None:
    reason = first_answer.reason_against(prepared(tmp_path, events), preset)
    assert reason == "the first model takes less than about a minute"


def test_it_does_nothing_where_something_is_live(tmp_path: Path) -> None:
    home = prepared(tmp_path)
    champion.promote(home, "r" * 32, "i" * 16, "earlier")
    assert first_answer.reason_against(home, "base") == "something is live"


def test_it_does_nothing_where_a_model_waits_to_be_judged(tmp_path: Path) -> None:
    home = prepared(tmp_path)
    model = write_model(ModelFolder(home.models / "m"), record=training_record())
    remember_model(home, model)
    model.weights.write_bytes(b"")
    assert first_answer.reason_against(home, "base") == "a model has been trained already"


# Of a small city every training is short, so here any is taken for long.
RUN = """
import sys
from orchestration.cli.main import main
from orchestration.release import first_answer
import models_ml.train

def cut_off(*arguments, **options):
    raise RuntimeError("cut off before its first step")

first_answer.LONG = 0
if sys.argv[1] == "cut off":
    models_ml.train.train = cut_off
main(sys.argv[2:])
"""
RELEASE = """
import sys
from pathlib import Path
from orchestration import asset_keys as keys
from orchestration.home.environment import enter
from orchestration.runs import materialize
from serving.home import Home

home = Home(Path(sys.argv[1]))
enter(home)
materialize(home, [keys.RELEASE, keys.INDEX, keys.BENTO, keys.CHAMPION])
"""


def python(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Days:
    """A home whose first training was cut off, and what its runs and `status` said."""

    home: Home
    cut_off: subprocess.CompletedProcess[str]
    at_first: champion.Champion
    status: dict[str, Any]
    report: dict[str, Any]
    went_on: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """A first run whose training does not begin, and one that goes on from there."""
    folder = tmp_path_factory.mktemp("first answer")
    home = Home(folder / "home")
    verb = ["--home", str(home.root), "run", "--source", "sample", "--events", "1500", *TINY]
    cut_off = python(RUN, "cut off", *verb, folder=folder)
    at_first = champion.read(home)
    status = json.loads(tastemate(home.root, "status", "--json").stdout)
    report = json.loads(home.report().read_text())
    went_on = python(RUN, "go on", *verb, folder=folder)
    return Days(home, cut_off, at_first, status, report, went_on)


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestAFirstRun:
    def test_a_baseline_is_live_before_the_training_begins(self, days: Days) -> None:
        assert days.cut_off.returncode == FAILED
        assert "cut off before its first step" in days.cut_off.stderr
        serve = hint(days.home.root, "serve")
        assert f"To have it answer meanwhile: {serve}" in days.cut_off.stderr
        packed = verify(days.home.releases / days.at_first.release_id)
        assert packed.kind == "baseline"
        assert packed.card.name in days.at_first.reason
        assert "until the first model is judged" in days.at_first.reason
        asked = {name: told.ndcg_10 for name, told in packed.card.metrics["time"].items()}
        assert asked[packed.card.name] == max(asked.values())
        assert index.open_index(days.home.indexes / days.at_first.index_id)
        assert (days.home.bentos / "tastemate" / days.at_first.release_id).exists()

    def test_its_page_says_that_no_model_was_judged(self, days: Days) -> None:
        page = (days.home.releases / days.at_first.release_id / PAGE).read_text()
        assert "No model has been judged yet" in page
        assert "<td>model</td>" not in page

    def test_report_and_status_name_it(self, days: Days) -> None:
        assert days.status["live"]["kind"] == "baseline"
        assert days.status["live"]["reason"] == days.at_first.reason
        assert days.report["status"] == "failed"
        assert days.report["release_id"] == days.at_first.release_id
        assert "is live now" in days.report["verdict"]["sentence"]

    def test_the_first_model_is_compared_with_baselines_alone(self, days: Days) -> None:
        assert days.went_on.returncode == 0, days.went_on.stderr[-3000:]
        judged = Evaluation.read(current_model(days.home))
        assert "champion" not in judged.time
        assert "there is no model yet" in days.went_on.stderr

    def test_it_stays_where_the_model_is_refused_and_else_gives_way(self, days: Days) -> None:
        evaluation = current_model(days.home).evaluation
        if not json.loads(evaluation.read_text())["passes"]:
            assert champion.read(days.home).release_id == days.at_first.release_id
            assert live.kept_by_hand(days.home) is None
            assert choice.choose(days.home).stays == days.at_first.release_id
        # What the gate says of a model of seconds is no matter here.
        evaluation.write_text(json.dumps(json.loads(evaluation.read_text()) | {"passes": True}))
        done = python(RELEASE, str(days.home.root), folder=days.home.root.parent)
        assert done.returncode == 0, done.stderr[-3000:]
        assert open_release(days.home.releases / champion.read(days.home).release_id).kind == (
            "model"
        )
        tastemate(days.home.root, "release", "rollback")
        assert champion.read(days.home).release_id == days.at_first.release_id
        assert live.kept_by_hand(days.home) == days.at_first.release_id
        kinds = {one.kind for one in live.list_releases(days.home)}
        assert kinds == {"model", "baseline"}
