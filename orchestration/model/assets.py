"""From features to a trained and evaluated model."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from models_ml.evaluation.behaviour_limits import CLAIMS
from orchestration import asset_keys as keys
from orchestration.home.atomic_files import read_json
from orchestration.home.console import say
from orchestration.model import store as model_store
from orchestration.steps.home_resource import HomeResource
from orchestration.steps.resource_usage import measured
from serving import champion as champions
from serving.home import Home, now

if TYPE_CHECKING:
    from orchestration.model.retraining.judge import Wish
    from orchestration.model.retraining.verdict import Verdict

RETRAINING = "tastemate/retraining"
"""The tag of a run that says whether it trained, and why."""


class Training(dg.Config):
    """How to train, if the policy calls for it.

    Without a preset it is that of the last model, and where there is none, `base`. Another preset
    or seed than the last model's calls for a training from scratch, and so does *anew*.
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
        manifest = write_training_set(paths.root, paths.training_sets, now())
    if manifest["events_left_out"]:
        say(
            f"{manifest['events_left_out']:,} events are left out, for more than 200 of a user "
            "became known at once, or late"
        )
    folder = paths.training_sets / manifest["hash"][:16]
    model_store.remember_training_set(paths, folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    return dg.MaterializeResult(
        metadata={
            **{name: value for name, value in manifest.items() if isinstance(value, str | int)},
            "dagster/row_count": manifest["users"],
            "bytes": size,
            **cost.metadata(),
        }
    )


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
    say(verdict.sentence())
    judge.remember(paths, context.run.run_id, verdict)
    context.instance.add_run_tags(context.run.run_id, {RETRAINING: verdict.sentence()})
    model_store.remember_model(paths, folder)
    training = json.loads((folder / "training.json").read_text())
    facts = {
        name: value for name, value in training.items() if isinstance(value, str | int | float)
    }
    return dg.MaterializeResult(
        metadata={
            **facts,
            **cost.metadata(),
            "training_seconds": training["seconds"],
            "retraining": verdict.as_json(),
            "curve": as_metadata(training_curve(training)),
        }
    )


def _carried_out(paths: Home, wish: "Wish", verdict: "Verdict") -> tuple[Path, "Verdict"]:
    """Train as *verdict* says; tell what was done, which is to train from scratch if need be."""
    from models_ml.data.leakage import LearnedBeforeError
    from models_ml.training.warm_start import WarmStartError

    if not verdict.retrain:
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


def _trained(paths: Home, wish: "Wish", start: Path | None) -> Path:
    """Train from scratch, or go on from the model *start*."""
    from models_ml.train import Epoch, train
    from models_ml.training.warm_start import content_hash

    def tell(epoch: Epoch) -> None:
        say(
            f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.3f}  "
            f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}"
        )

    data = model_store.current_training_set(paths)
    preset = wish.preset or model_store.preset_of_last_model(paths) or "base"
    out = model_store.model_folder(
        paths, data, preset, wish.seed, content_hash(start) if start else None
    )
    train(data.folder, out, preset=preset, seed=wish.seed, warm_start=start, progress=tell)
    return out


@dg.asset(
    key=keys.EVALUATION, group_name="model", deps=[keys.RECOMMENDER], kinds={"pytorch"},
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
        found = _kept_evaluation(paths, context.run.run_id) or _evaluated(paths)
    figures = {
        f"{split}/{name}/ndcg_10": values["ndcg_10"]
        for split in ("time", "loo")
        for name, values in found[split].items()
    }
    return dg.MaterializeResult(
        metadata={
            **figures,
            "best_baseline": found["best_baseline"],
            **cost.metadata(),
            "quality": as_metadata(quality_bars(found)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="passes_the_gate",
                passed=found["passes"],
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "best_baseline": found["best_baseline"], "refusals": found["refusals"]
                },
            ),
            *(
                dg.AssetCheckResult(
                    check_name=told["name"],
                    passed=told["passed"],
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"value": told["value"], "least": told["least"]},
                )
                for told in found["behaviours"]
            ),
        ],
    )  # fmt: skip


def _evaluated(paths: Home) -> dict[str, Any]:
    from models_ml.evaluate import evaluate
    from orchestration.model.export import export_model
    from serving.exported import open_recommender

    folder = model_store.current_model(paths)
    data = model_store.training_set_of(paths, folder)
    export_model(folder, data.folder)
    return evaluate(
        data.folder,
        folder,
        folder / "evaluation.json",
        say,
        champion=_champion(paths),
        served=open_recommender(folder),
    )


def _kept_evaluation(paths: Home, run_id: str) -> dict[str, Any] | None:
    """Find how a model was judged when it was trained, if the policy keeps it in this run."""
    from orchestration.model.retraining import judge

    decided = judge.remembered(paths, run_id)
    if decided is None or decided["retrain"] or decided["figures"] is None:
        return None
    found = read_json(model_store.current_model(paths) / "evaluation.json")
    if not found or "refusals" not in found:
        return None
    say("as when the model was trained")
    return dict(found)


def _champion(paths: Home) -> Path | None:
    """Find the model folder of what is live, to compare with."""
    from models_ml.loading import load
    from models_ml.model_folder import ModelFolderError

    if not paths.champion.exists():
        return None
    folder = paths.releases / champions.read(paths).release_id
    try:
        load(folder)
    except ModelFolderError as error:
        say(f"not compared with what is live, for it cannot be asked: {error}")
        return None
    return folder
