"""From features to a trained and evaluated model."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import dagster as dg

from models_ml.evaluation.behaviour_limits import CLAIMS
from models_ml.evaluation.report import Evaluation, EvaluationError
from orchestration import asset_keys as keys
from orchestration.home.console import say
from orchestration.model import store as model_store
from orchestration.model.gate_budget import spend
from orchestration.steps.home_resource import HomeResource
from orchestration.steps.resource_usage import measured
from serving import champion as champions
from serving.home import Home, now

if TYPE_CHECKING:
    from models_ml.data.training_set import Manifest
    from models_ml.model_folder import ModelFolder
    from models_ml.recommender import Recommender
    from models_ml.training.record import TrainingRecord
    from orchestration.model.retraining.judge import Wish
    from orchestration.model.retraining.verdict import Verdict

RETRAINING = "tastemate/retraining"
"""The tag of a run that says whether it trained, and why."""


class Training(dg.Config):
    """How to train, if the policy calls for it.

    Without a preset it is the one that a person chose for the last model, else the one that the
    size of the data calls for. Another preset or seed than the last model's calls for a training
    from scratch, and so does *anew*.
    """

    preset: str | None = None
    seed: int = 0
    anew: bool = False


@dg.asset(
    key=keys.TRAINING_SET, group_name="model", deps=[keys.REGISTRY, keys.FEATURE_MOMENTS],
    kinds={"feast", "parquet"},
)  # fmt: skip
def training_set(home: HomeResource) -> dg.MaterializeResult:
    """Whole histories and all places, as Feast's point-in-time join gives them."""
    from feature_repo.training import write_training_set

    paths = home.paths()
    with measured() as cost:
        folder = write_training_set(paths.root, paths.training_sets, now())
    model_store.remember_training_set(paths, folder)
    manifest = model_store.current_training_set(paths).manifest
    if manifest.events_left_out:
        say(
            f"{manifest.events_left_out:,} events are left out, for more than 200 of a user "
            "became known at once, or late"
        )
    size = sum(file.stat().st_size for file in folder.iterdir())
    return dg.MaterializeResult(
        metadata={
            **_scalars(manifest),
            "dagster/row_count": manifest.users,
            "bytes": size,
            **cost.metadata(),
        }
    )


def _scalars(record: "Manifest | TrainingRecord") -> dict[str, str | int | float]:
    """Give the plain fields of *record* as Dagster shows them."""
    return {
        name: value for name, value in vars(record).items() if isinstance(value, str | int | float)
    }


@dg.asset(
    key=keys.RECOMMENDER, group_name="model", deps=[keys.TRAINING_SET],
    kinds={"pytorch", "huggingface"},
)  # fmt: skip
def recommender(
    context: dg.AssetExecutionContext, home: HomeResource, config: Training
) -> dg.MaterializeResult:
    """The BERT recommender, trained anew where the policy calls for it; resumed where cut off."""
    from orchestration.model.charts import training_curve
    from orchestration.model.retraining import judge
    from orchestration.steps.figures import as_metadata

    paths = home.paths()
    with measured() as cost:
        wish = judge.Wish(config.preset, config.seed, config.anew)
        folder, verdict = _carried_out(paths, wish, judge.judge(paths, wish))
    judge.remember(paths, context.run.run_id, verdict)
    context.instance.add_run_tags(context.run.run_id, {RETRAINING: verdict.sentence()})
    model_store.remember_model(paths, folder)
    record = model_store.record_of(folder)
    return dg.MaterializeResult(
        metadata={
            **_scalars(record),
            **cost.metadata(),
            "training_seconds": record.seconds,
            "retraining": asdict(verdict),
            "curve": as_metadata(training_curve(record)),
        }
    )


def _carried_out(paths: Home, wish: "Wish", verdict: "Verdict") -> tuple["ModelFolder", "Verdict"]:
    """Train as *verdict* says; tell what was done, which is to train from scratch if need be."""
    from models_ml.data.leakage import LearnedBeforeError
    from models_ml.training.warm_start import WarmStartError

    if not verdict.retrain:
        say(verdict.sentence())
        return model_store.current_model(paths), verdict
    say(f"to be {verdict.sentence()}")
    if verdict.from_scratch:
        return _trained(paths, wish, None), verdict
    try:
        return _trained(paths, wish, model_store.current_model(paths)), verdict
    except (LearnedBeforeError, WarmStartError) as error:
        say(str(error))
        anew = replace(verdict, from_scratch=True, reasons=[*verdict.reasons, str(error)])
        return _trained(paths, wish, None), anew


def _trained(paths: Home, wish: "Wish", start: "ModelFolder | None") -> "ModelFolder":
    """Train from scratch, or go on from the model *start*."""
    from models_ml.train import train
    from models_ml.training.record import Epoch
    from models_ml.training.warm_start import content_hash

    def tell(epoch: Epoch) -> None:
        say(
            f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.3f}  "
            f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}  {epoch.time_left}".rstrip()
        )

    data = model_store.current_training_set(paths)
    preset = model_store.preset_for(paths, data, wish.preset)
    say(f"preset {preset}" + ("" if wish.preset else f", for {data.manifest.events:,} events"))
    out = model_store.model_folder(
        paths, data, preset, wish.seed, content_hash(start) if start else None
    )
    begin = start.path if start else None
    report = train(
        data.folder, out.path, preset=preset, seed=wish.seed, warm_start=begin, progress=tell,
        tuned=data.tuned,
    )  # fmt: skip
    if not report.is_new:
        say("already trained on this very set, nothing to do")
    elif report.record.why_early:
        say(report.record.why_early)
    return out


@dg.asset(
    key=keys.EXPORT, group_name="model", deps=[keys.RECOMMENDER], kinds={"onnx"},
    check_specs=[
        dg.AssetCheckSpec(
            "export_equals_network", asset=keys.EXPORT,
            description="The exported network's log-scores are the network's own; else torch "
            "serves it.",
        )
    ],
)  # fmt: skip
def export(home: HomeResource) -> dg.MaterializeResult:
    """The network in the form that answers requests, checked against the network itself."""
    from orchestration.model.export import export_model

    paths = home.paths()
    with measured() as cost:
        folder = model_store.current_model(paths)
        made = export_model(folder, model_store.training_set_of(paths, folder).folder)
    if made is None:
        return dg.MaterializeResult(
            metadata={"refusal": "there is no network to export", **cost.metadata()},
            check_results=[dg.AssetCheckResult(passed=True)],
        )
    difference = made.largest_difference
    metadata = {"refusal": made.refusal, "largest_difference": difference, "bound": made.bound}
    return dg.MaterializeResult(
        metadata={**metadata, **cost.metadata()},
        check_results=[
            dg.AssetCheckResult(
                passed=not made.refusal, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
            )
        ],
    )


@dg.asset(
    key=keys.EVALUATION, group_name="model", deps=[keys.EXPORT], kinds={"pytorch"},
    check_specs=[
        dg.AssetCheckSpec(
            "passes_the_gate", asset=keys.EVALUATION,
            description="Surely better than every baseline on the last tenth of events, nowhere "
            "surely worse than what is live, and well-behaved.",
        ),
        *(
            dg.AssetCheckSpec(name, asset=keys.EVALUATION, description=claim.text)
            for name, claim in CLAIMS.items()
        ),
    ],
)  # fmt: skip
def evaluation(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """Model, baselines and champion ranked over all places, on both splits."""
    from orchestration.model.charts import quality_bars
    from orchestration.steps.figures import as_metadata

    paths = home.paths()
    with measured() as cost:
        judged = _kept_evaluation(paths, context.run.run_id) or _evaluated(paths)
    figures = {
        f"{split}/{name}/ndcg_10": recommender.ndcg_10
        for split, quality in judged.quality.items()
        for name, recommender in quality.items()
    }
    return dg.MaterializeResult(
        metadata={
            **figures,
            "best_baseline": judged.best_baseline,
            **cost.metadata(),
            "quality": as_metadata(quality_bars(judged)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="passes_the_gate",
                passed=judged.passes,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"best_baseline": judged.best_baseline, "refusals": judged.refusals},
            ),
            *(
                dg.AssetCheckResult(
                    check_name=behaviour.name,
                    passed=behaviour.passed,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"value": behaviour.value, "least": behaviour.least},
                )
                for behaviour in judged.behaviours
            ),
        ],
    )


def _evaluated(paths: Home) -> Evaluation:
    from models_ml.evaluate import evaluate
    from orchestration.model.export import require_export
    from serving.onnx_model import open_recommender

    folder = model_store.current_model(paths)
    require_export(folder)
    data = model_store.training_set_of(paths, folder)
    return evaluate(
        data.folder,
        folder.path,
        folder.evaluation,
        say,
        champion=_champion(paths, data.hash),
        served=open_recommender(folder.path),
        tuned=data.tuned,
        alpha=spend(paths, folder, now()),
    )


def _kept_evaluation(paths: Home, run_id: str) -> Evaluation | None:
    """Find how a model was judged when it was trained, if the policy keeps it in this run."""
    from orchestration.model.retraining import judge

    decided = judge.remembered(paths, run_id)
    if decided is None or decided.retrain or decided.figures is None:
        return None
    try:
        kept = Evaluation.read(model_store.current_model(paths))
    except EvaluationError:  # an earlier version asked less, so it is judged again
        return None
    say("as when the model was trained")
    return kept


def _champion(paths: Home, training_set_hash: str) -> "Recommender | None":
    """Load what is live, to compare with, if it can still be asked.

    A baseline that was fitted to the very same training set is left out: it is compared anyway.
    """
    from models_ml.loading import load
    from models_ml.model_folder import ModelFolder, ModelFolderError

    if not paths.champion.exists():
        return None
    live = ModelFolder(paths.releases / champions.read(paths).release_id)
    try:
        config = live.read_config()
        if config.kind == "baseline" and config.training_set_hash == training_set_hash:
            return None
        return load(live.path)
    except ModelFolderError as error:
        say(f"not compared with what is live, for it cannot be asked: {error}")
        return None
