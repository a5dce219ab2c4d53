"""From features to a trained and evaluated model."""

import json
from pathlib import Path

import dagster as dg

from models_ml.claims import CLAIMS
from orchestration import asset_keys as keys
from orchestration import model_store
from orchestration.measure import measured
from orchestration.progress import say
from orchestration.resources import HomeResource
from serving import champion as champions
from serving.home import Home, now


class Training(dg.Config):
    """How to train.

    Without a preset the model that is there is kept; where it was trained on other data, one of
    its preset is trained, and where there is none, `base`.
    """

    preset: str | None = None
    seed: int = 0


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
def recommender(home: HomeResource, config: Training) -> dg.MaterializeResult:
    """The BERT recommender, trained on the training set; resumed where a run was cut off."""
    from orchestration.pictures import as_metadata, training_curve

    paths = home.paths()
    with measured() as cost:
        folder = _trained(paths, config)
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
            "curve": as_metadata(training_curve(training)),
        }
    )


def _trained(paths: Home, config: Training) -> Path:
    """Train as *config* says, unless that model is there already."""
    from models_ml.train import Epoch, train

    if config.preset is None:
        try:
            return model_store.current_model(paths)
        except model_store.NoModelError:
            pass

    def tell(epoch: Epoch) -> None:
        say(
            f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.3f}  "
            f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}"
        )

    data = model_store.current_training_set(paths)
    preset = config.preset or model_store.preset_of_last_model(paths) or "base"
    out = model_store.model_folder(paths, data, preset, config.seed)
    train(data.folder, out, preset=preset, seed=config.seed, progress=tell)
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
def evaluation(home: HomeResource) -> dg.MaterializeResult:
    """Model, baselines and champion ranked over all places, on both splits."""
    from models_ml.evaluate import evaluate
    from orchestration.pictures import as_metadata, quality_bars
    from orchestration.releasing import export_model
    from serving.exported import open_recommender

    paths = home.paths()
    data = model_store.current_training_set(paths)
    folder = model_store.current_model(paths)
    with measured() as cost:
        export_model(folder, data.folder)
        found = evaluate(
            data.folder,
            folder,
            folder / "evaluation.json",
            say,
            champion=_champion(paths),
            served=open_recommender(folder),
        )
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


def _champion(paths: Home) -> Path | None:
    """Find the model folder of what is live, to compare with."""
    if not paths.champion.exists():
        return None
    return paths.releases / champions.read(paths).release_id
