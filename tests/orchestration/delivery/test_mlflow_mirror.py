"""MLflow's copy, in its own SQLite file."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from models_ml.presets import preset_named
from orchestration.delivery import mlflow_mirror as tracking
from orchestration.home.atomic_files import write_atomically
from orchestration.home.environment import exports
from orchestration.model.store import remember_model, remember_training_set
from serving import champion
from serving.home import Home
from tests.orchestration.release.test_diff import packed

HASH = "ab" * 32


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose model was trained and evaluated."""
    home = Home(tmp_path / "home")
    data, model = home.training_sets / HASH[:16], home.models / "m"
    write_atomically(data / "manifest.json", json.dumps({"hash": HASH}))
    remember_training_set(home, data)
    training = {
        "identity": {
            "training_set_hash": HASH, "preset": "tiny", "seed": "0",
            "settings": preset_named("tiny").as_text(),
        },
        "losses": [3.0, 2.0], "validation": [0.1, 0.2], "seconds": 4.0, "events_per_second": 5.0,
        "parameters": 6, "best_epoch": 2, "torch": "2.13", "device": "cpu",
    }  # fmt: skip
    write_atomically(model / "config.json", json.dumps({"training_set_hash": HASH}))
    write_atomically(model / "training.json", json.dumps(training))
    evaluate(model, 0.3)
    remember_model(home, model)
    return home


def evaluate(model: Path, ndcg: float) -> None:
    told = {"model": {"ndcg_10": ndcg, "hr_1": 0.1, "hr_10": 0.5, "mrr": 0.2}}
    evaluation = {
        "time": told, "loo": told, "passes": True, "cost": {"p95_ms": 9.0},
        "behaviours": [{"name": "any_length", "value": 1.0}, {"name": "untold", "value": None}],
    }  # fmt: skip
    write_atomically(model / "evaluation.json", json.dumps(evaluation))


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
    evaluate(home.models / "m", 0.4)
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
