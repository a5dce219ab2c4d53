"""Train what `bench-quality` compares, as saved runs.

python -m tests.bench.quality_runs ml-1m|nyc|beauty [--seeds N]

Hours may be split: a run that was stopped goes on from its last checkpoint, a finished one is left
as it is. Sets and runs lie in `.quality/`; nothing of the data is part of the project.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from models_ml.config import preset_named, run_name
from models_ml.train import Epoch, train
from tests.bench.public_training_sets import SETS

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
FOLDER = ROOT / ".quality"
SEEDS = 3


@dataclass(frozen=True)
class Run:
    """A training, and what it is called in the table."""

    name: str
    preset: str
    seed: int
    folder: Path


PRESETS = {
    "ml-1m": {"model": "movielens", "sasrec": "sasrec"},
    "beauty": {"model": "reviews", "sasrec": "sasrec"},
    "nyc": {"model": "base", "model, no pointer": "encoder", "sasrec": "sasrec"},
}


def runs_of(dataset: str, seeds: int = SEEDS) -> list[Run]:
    """List the runs of *dataset*: the model with each seed, the others with one."""
    runs = []
    for name, preset in PRESETS[dataset].items():
        for seed in range(seeds if name == "model" else 1):
            told = name if seed == 0 else f"{name}, seed {seed}"
            folder = run_name(preset, preset_named(preset).as_text(), seed)
            runs.append(Run(told, preset, seed, FOLDER / dataset / "runs" / folder))
    return runs


def training_set(dataset: str) -> Path:
    """Write the training set of *dataset*, unless it is there."""
    folder = FOLDER / dataset / "set"
    if not (folder / "manifest.json").exists():
        SETS[dataset](DATA, folder)
    return folder


def main() -> None:
    """Train every run of a data set that is not finished yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the model")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    data = training_set(arguments.dataset)
    for run in runs_of(arguments.dataset, arguments.seeds):

        def tell(epoch: Epoch, name: str = run.name) -> None:
            console.print(
                f"{name}: epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.3f}  "
                f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}  {epoch.seconds:.0f} s"
            )

        report = train(data, run.folder, run.preset, seed=run.seed, progress=tell)
        verb = "trained" if report.is_new else "already trained"
        console.print(
            f"{run.name}: {verb}, best epoch {report.best_epoch} of {report.epochs}, validation "
            f"NDCG@10 {report.validation_ndcg_10:.4f}, {report.seconds:.0f} s on {report.device}"
        )


if __name__ == "__main__":
    main()
