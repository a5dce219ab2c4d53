"""MLflow's copy, in its own SQLite file."""

from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from models_ml.evaluation.report import BehaviourFigure, Evaluation
from models_ml.model_folder import ModelFolder
from models_ml.presets import preset_named
from models_ml.training.record import Identity
from orchestration.delivery import mlflow_mirror as tracking
from orchestration.home.environment import exports
from orchestration.model.store import remember_model, remember_training_set
from serving import champion
from serving.home import Home
from tests.made import HASH, evaluation, training_record, write_manifest, write_model
from tests.orchestration.release.test_diff import packed


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose model was trained and evaluated."""
    home = Home(tmp_path / "home")
    remember_training_set(home, write_manifest(home.training_sets / HASH[:16]))
    identity = Identity(HASH, "tiny", preset_named("tiny").as_text(), "0")
    record = training_record(identity=identity, validation=[0.1, 0.2])
    remember_model(home, write_model(model_of(home), record=record, judged=judged(0.3)))
    return home


def model_of(home: Home) -> ModelFolder:
    return ModelFolder(home.models / "m")


def judged(ndcg_10: float) -> Evaluation:
    known = BehaviourFigure("any_length", "finite", 1.0, 1.0, passed=True)
    untold = replace(known, name="untold", value=None)
    told = {"model": ndcg_10, "own_visits": 0.2}
    return evaluation(told, behaviours=[known, untold])


def client(home: Home) -> MlflowClient:
    uri = exports(home)["MLFLOW_TRACKING_URI"]
    return MlflowClient(uri, uri)


def test_a_training_is_one_run_with_its_settings_curves_and_figures(home: Home) -> None:
    first = tracking.mirror(home)
    assert tracking.mirror(home) == first
    asked = client(home)
    experiment = asked.get_experiment_by_name("tastemate")
    (run,) = asked.search_runs([experiment.experiment_id])
    assert run.info.run_id == first.run_id
    assert run.info.status == "FINISHED"
    assert run.data.params["preset"] == "tiny"
    assert run.data.params["hidden_size"] == "16"
    assert run.data.tags["data"] == HASH
    assert run.data.metrics["time/model/ndcg_10"] == 0.3
    assert run.data.metrics["behaviour/any_length"] == 1.0
    curve = asked.get_metric_history(first.run_id, "validation")
    assert [(point.step, point.value) for point in curve] == [(1, 0.1), (2, 0.2)]
    assert first.version is None


def test_a_new_evaluation_is_told_in_the_same_run(home: Home) -> None:
    first = tracking.mirror(home)
    write_model(model_of(home), judged=judged(0.4))
    assert tracking.mirror(home).run_id == first.run_id
    history = client(home).get_metric_history(first.run_id, "time/model/ndcg_10")
    assert sorted(point.value for point in history) == [0.3, 0.4]


def test_the_alias_names_what_is_live(home: Home, tmp_path: Path) -> None:
    one = packed(home, tmp_path / "one", layers=2, ndcg=0.3, places=["a"])
    other = packed(home, tmp_path / "other", layers=4, ndcg=0.4, places=["a"])
    versions = []
    for release_id in (one, other, one):
        champion.promote(home, release_id, "i" * 16, f"because of {release_id[:4]}")
        versions.append(tracking.mirror(home).version)
        live = client(home).get_model_version_by_alias("tastemate", "champion")
        assert live.tags["release_id"] == release_id
        assert live.tags["reason"] == f"because of {release_id[:4]}"
    # What comes back is the version that it was.
    assert versions == ["1", "2", "1"]


def test_a_server_that_is_away_is_told_of(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMATE_MLFLOW", "http://127.0.0.1:9")
    with pytest.raises(tracking.TrackingError, match=r"127.0.0.1:9: MLflow could not be written"):
        tracking.mirror(home)
