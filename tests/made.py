"""Evaluations, training records and model configs by hand, whole, with what a test changes."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from feature_repo.parity_report import ParityReport
from models_ml.evaluation.report import (
    AnswerCost,
    BehaviourFigure,
    Evaluation,
    GateTerms,
    HistoryFigures,
    Lead,
    ListFigures,
    Memorization,
    RecommenderFigures,
    SliceFigures,
)
from models_ml.figures import Calibration, Interval, RankFigures
from models_ml.model_folder import ModelFolder
from models_ml.training.record import Identity, TrainingRecord
from models_ml.typed_json import json_text
from orchestration.delivery.run_report import FileCounts, RunReport, StepCost
from serving import champion
from serving.card import Provenance
from serving.home import Home
from serving.release import FEATURE_SCHEMA, REGISTRY, pack

HASH = "ab" * 32
RANKS = RankFigures(hr_1=0.1, hr_10=0.4, ndcg_10=0.25, mrr=0.2, n=12)


def figures(ndcg_10: float) -> RecommenderFigures:
    """A recommender's figures, of which one matters."""
    return RecommenderFigures(
        **vars(replace(RANKS, ndcg_10=ndcg_10)),
        ndcg_10_interval=Interval(ndcg_10 - 0.01, ndcg_10 + 0.01),
        new_places=RANKS,
        new_among_unvisited=RANKS,
        returns=RANKS,
        lists=ListFigures(coverage=0.5, novelty=4.0, diversity=None, popularity=1.0),
    )


def evaluation(ndcg_10: dict[str, float] | None = None, **changes: Any) -> Evaluation:
    """An evaluation in which the model passes, unless *changes* say otherwise."""
    told = ndcg_10 or {"model": 0.3, "own_visits": 0.2}
    quality = {name: figures(value) for name, value in told.items()}
    leads = {
        name: Lead(told["model"] - value, Interval(-0.01, 0.02), 0.001, 0.0)
        for name, value in told.items()
        if name != "model"
    }
    slices = {"visit": {"return": SliceFigures(70, told)}}
    calibration = Calibration(0.0, [])
    whole = Evaluation(
        model_minus={"time": leads, "loo": leads},
        slices={"time": slices, "loo": slices},
        calibration={"time": calibration, "loo": calibration},
        time=quality,
        loo=quality,
        histories=HistoryFigures(tied_share=0.0, largest_share=0.01),
        terms=GateTerms("time", alpha=0.05, least_lead=0.002),
        best_baseline="own_visits",
        memorization=Memorization(model=0.02, counting=0.03, error=0.002, least=0.015),
        behaviours=[BehaviourFigure("any_length", "finite", 1.0, 1.0, passed=True)],
        cost=AnswerCost(median_ms=5.0, p95_ms=9.0, bytes=1000),
        refusals=[],
        passes=True,
    )
    return replace(whole, **changes)


def training_record(**changes: Any) -> TrainingRecord:
    """How a training went, and what it was."""
    identity = Identity(HASH, preset="tiny", settings="{}", seed="0")
    record = TrainingRecord(
        out="m", epochs=2, best_epoch=1, validation_ndcg_10=0.2, loss=1.0, seconds=3.0,
        events_per_second=100.0, parameters=10, device="cpu", is_cut_short=False,
        identity=identity, torch="2.13.0", learned_from=[], losses=[2.0, 1.0],
        validation=[0.2, 0.1],
    )  # fmt: skip
    return replace(record, **changes)


def run_report(**changes: Any) -> RunReport:
    """The report of a run after which all is well, unless *changes* say otherwise."""
    report = RunReport(
        run_id="r1", as_of="2026-01-02T00:00:00+00:00", status="succeeded", failures=[],
        files=[FileCounts("likes.jsonl", "likes", 10, 10, 0, 0, 0)],
        users=3, places=4, events=10, release_id="a" * 32, index_id="b" * 16,
        release_kind="model", release_name="bert", steps=[StepCost("elt", 2.0, 100.0)],
        parity=ParityReport(7, 7, 0, 0, 0, [], holds=True),
    )  # fmt: skip
    return replace(report, **changes)


def write_model(
    folder: ModelFolder,
    *,
    config: dict[str, Any] | None = None,
    record: TrainingRecord | None = None,
    judged: Evaluation | None = None,
) -> ModelFolder:
    """Write what says what a model is, how it was trained and how good it is."""
    folder.path.mkdir(parents=True, exist_ok=True)
    whole = {
        "kind": "model", "name": "bert", "architecture": {}, "preset": "tiny", "seed": 0,
        "training_set_hash": HASH, "excludes_seen": False,
    }  # fmt: skip
    folder.config.write_text(json.dumps(whole | (config or {})))
    for path, value in ((folder.training, record), (folder.evaluation, judged)):
        if value is not None:
            path.write_text(json_text(value))
    return folder


def write_manifest(folder: Path, **told: Any) -> Path:
    """Write the manifest of a training set."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        "format": 1, "hash": HASH, "cut_at": "2026-01-01T00:00:00+00:00",
        "is_time_synthetic": False, "as_of": "2026-01-02T00:00:00+00:00",
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(whole | told))
    return folder


def another_release(home: Home) -> str:
    """Pack what is live once more under a seed that decides nothing, with an index of its own."""
    live = champion.read(home)
    with TemporaryDirectory() as folder:
        draft = Path(shutil.copytree(home.releases / live.release_id, Path(folder) / "draft"))
        config = json.loads((draft / "config.json").read_text())
        (draft / "config.json").write_text(json.dumps({**config, "seed": 7}))
        parts = (draft, draft / REGISTRY, draft / FEATURE_SCHEMA)
        other = pack(*parts, home.releases, Provenance(reason="a trial")).release_id
    index = Path(shutil.copytree(home.indexes / live.index_id, home.indexes / "another"))
    meta = json.loads((index / "index.json").read_text())
    meta.update(release_id=other, index_id="another")
    (index / "index.json").write_text(json.dumps(meta))
    return other
