"""MLflow mirrors what lies in the home: each training with its figures, and what is live.

The home's champion pointer is the truth, and nothing here is read to decide anything. By default
the records are a SQLite file in the home; `TASTEMATE_MLFLOW` names a server.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from models_ml.evaluation.report import Evaluation, EvaluationError
from models_ml.model_folder import ModelFolder
from models_ml.training.record import TrainingRecord
from orchestration.delivery.mlflow_alias import INDEX, LIVE, NAME, REASON, RELEASE
from orchestration.home.environment import PROJECT, exports
from orchestration.model import store as model_store
from serving import champion
from serving.home import Home
from serving.release import open_release

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

_MODEL, _EVALUATION = "tastemate.model", "tastemate.evaluation"
_FIGURES = ("ndcg_10", "ndcg_10_capped", "hr_1", "hr_10", "mrr")
_AT_ONCE = 1000  # MLflow's own limit of metrics in a call
# By default a server that is away is waited for for minutes.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class TrackingError(RuntimeError):
    """MLflow could not be written to."""


@dataclass(frozen=True)
class Mirrored:
    """Where the records are, the run of the home's model, and the version that is live."""

    uri: str
    run_id: str | None
    version: str | None


def mirror(home: Home) -> Mirrored:
    """Record the current model's training and figures, and which release is live.

    What is recorded already is left as it is.

    Raises:
        TrackingError: the server or the file cannot be written to.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        client = _client(home)
        run_id = _mirror_training(client, home)
        return Mirrored(_uri(home), run_id, _mirror_champion(client, home, run_id))
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise TrackingError(
            f"{_uri(home)}: MLflow could not be written to: {error}. What is live does not depend "
            "on it; set TASTEMATE_MLFLOW to a server that answers, or unset it."
        ) from error


def _client(home: Home) -> "MlflowClient":
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    # It would tell of each step of making a database, and sets its own level when imported.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    home.mlflow.mkdir(parents=True, exist_ok=True)
    return MlflowClient(_uri(home), _uri(home))


def _uri(home: Home) -> str:
    return exports(home)["MLFLOW_TRACKING_URI"]


def _mirror_training(client: "MlflowClient", home: Home) -> str | None:
    try:
        folder = model_store.current_model(home)
        record = model_store.record_of(folder)
    except model_store.NoModelError:
        return None
    experiment_id = _experiment(client, home)
    found = client.search_runs([experiment_id], f"tags.`{_MODEL}` = '{folder.name}'")
    if found:
        run_id, tags = found[0].info.run_id, found[0].data.tags
    else:
        tags = _tags(folder, record)
        run_id = client.create_run(experiment_id, tags=tags, run_name=folder.name).info.run_id
        for name, value in _parameters(record).items():
            client.log_param(run_id, name, value)
        _log(client, run_id, list(_curves(record)))
        client.set_terminated(run_id)
    if folder.evaluation.exists() and tags.get(_EVALUATION) != _hash(folder.evaluation):
        with suppress(EvaluationError):  # an earlier version asked less; it will be judged again
            _log(client, run_id, list(_quality(Evaluation.read(folder))))
            client.set_tag(run_id, _EVALUATION, _hash(folder.evaluation))
    return str(run_id)


def _mirror_champion(client: "MlflowClient", home: Home, run_id: str | None) -> str | None:
    try:
        live = champion.read(home)
    except champion.NoChampionError:
        return None
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    versions = client.search_model_versions(
        f"name = '{NAME}' and tag.{RELEASE} = '{live.release_id}'"
    )
    if versions:
        number = versions[0].version
    else:
        release = open_release(home.releases / live.release_id)
        tags = {RELEASE: live.release_id, "kind": release.kind}
        number = client.create_model_version(
            NAME, source=release.folder.as_uri(), run_id=run_id, tags=tags
        ).version
    for name, value in ((INDEX, live.index_id), (REASON, live.reason)):
        client.set_model_version_tag(NAME, number, name, value)
    client.set_registered_model_alias(NAME, LIVE, number)
    return str(number)


def _experiment(client: "MlflowClient", home: Home) -> str:
    found = client.get_experiment_by_name(NAME)
    if found:
        return str(found.experiment_id)
    return str(client.create_experiment(NAME, artifact_location=home.mlflow_runs.as_uri()))


def _tags(folder: ModelFolder, record: TrainingRecord) -> dict[str, str]:
    return {
        _MODEL: folder.name,
        "data": record.identity.training_set_hash,
        "code": _code(),
        "version": version("tastemate"),
        "torch": record.torch,
        "device": record.device,
    }


def _code() -> str:
    """Name the code that trains by its content, whether or not it is committed."""
    digest = hashlib.sha256()
    package = PROJECT / "models_ml"
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _parameters(record: TrainingRecord) -> dict[str, str]:
    identity = record.identity
    began = {"warm_start": record.warm_start} if record.warm_start else {}
    settings = {name: str(value) for name, value in json.loads(identity.settings).items()}
    return {"preset": identity.preset, "seed": identity.seed, **began, **settings}


def _curves(record: TrainingRecord) -> Iterator["Metric"]:
    for name, values in (("loss", record.losses), ("validation", record.validation)):
        for epoch, value in enumerate(values, 1):
            yield _metric(name, value, epoch)
    yield _metric("seconds", record.seconds)
    yield _metric("events_per_second", record.events_per_second)
    yield _metric("parameters", record.parameters)
    yield _metric("best_epoch", record.best_epoch)


def _quality(judged: Evaluation) -> Iterator["Metric"]:
    for split, quality in judged.quality.items():
        for name, told in quality.items():
            for figure in _FIGURES:
                value = told.judged if figure == "ndcg_10_capped" else getattr(told, figure)
                yield _metric(f"{split}/{name}/{figure}", value)
    for behaviour in judged.behaviours:
        if behaviour.value is not None:
            yield _metric(f"behaviour/{behaviour.name}", behaviour.value)
    for name, value in vars(judged.cost).items():
        yield _metric(f"cost/{name}", value)
    yield _metric("passes", float(judged.passes))


def _metric(name: str, value: float, step: int = 0) -> "Metric":
    from mlflow.entities import Metric

    return Metric(name, float(value), int(time.time() * 1000), step)


def _log(client: "MlflowClient", run_id: str, metrics: list["Metric"]) -> None:
    for begin in range(0, len(metrics), _AT_ONCE):
        client.log_batch(run_id, metrics[begin : begin + _AT_ONCE])


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
