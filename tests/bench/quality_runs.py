"""Train what `bench-quality` compares, as saved runs.

python -m tests.bench.quality_runs ml-1m|nyc|beauty [--seeds N] [--small]

Hours may be split: a run that was stopped goes on from its last checkpoint, a finished one is left
as it is. Sets and runs lie in `.quality/`, those of `--small` in `.bench/small/`; nothing of the
data is part of the project.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from models_ml.data.training_set import TrainingSetFolder
from models_ml.model_folder import ModelFolder
from models_ml.presets import preset_named, run_name
from models_ml.train import train
from models_ml.training.record import Epoch
from tests.bench import figures
from tests.bench.public_training_sets import SETS

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
FOLDER = ROOT / ".quality"
SMALL = figures.FOLDER / "small"
SEEDS = 3
_PEOPLE = 300


@dataclass(frozen=True)
class Run:
    """A training, and what it is called in the table."""

    name: str
    preset: str
    seed: int
    folder: ModelFolder


@dataclass(frozen=True)
class Study:
    """A data set and its trainings; *small*: some of its people, and trainings of seconds."""

    dataset: str
    small: bool = False

    @property
    def name(self) -> str:
        """What tables and page call it."""
        return f"{self.dataset}, small form" if self.small else self.dataset

    @property
    def folder(self) -> Path:
        """Where set and runs lie."""
        return (SMALL if self.small else FOLDER) / self.dataset

    @property
    def figures(self) -> Path:
        """Where figures go."""
        return SMALL if self.small else figures.FOLDER

    @property
    def training_set(self) -> Path:
        """Write the training set, unless it is there."""
        folder = self.folder / "set"
        if not TrainingSetFolder(folder).manifest.exists():
            SETS[self.dataset](DATA, folder, _PEOPLE if self.small else None)
        return folder

    def runs(self, seeds: int = SEEDS) -> list[Run]:
        """List the runs: the model with each seed, the others with one."""
        presets = _SMALL_PRESETS if self.small else PRESETS[self.dataset]
        runs = []
        for name, preset in presets.items():
            for seed in range(seeds if name == "model" else 1):
                told = name if seed == 0 else f"{name}, seed {seed}"
                folder = run_name(preset, preset_named(preset).as_text(), seed)
                made = ModelFolder(self.folder / "runs" / folder)
                runs.append(Run(told, preset, seed, made))
        return runs


PRESETS = {
    "ml-1m": {"model": "movielens", "model, 8 layers": "deep", "sasrec": "sasrec"},
    "beauty": {"model": "reviews", "sasrec": "sasrec"},
    "nyc": {"model": "base", "network, no pointer": "encoder", "sasrec": "sasrec"},
}
_SMALL_PRESETS = {"model": "tiny"}


def study_parser(description: str | None) -> argparse.ArgumentParser:
    """Read which data set, and whether the small form is meant."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("dataset", choices=sorted(SETS))
    add_small(parser)
    return parser


def add_small(parser: argparse.ArgumentParser) -> None:
    """Let *parser* know the small form."""
    parser.add_argument(
        "--small", action="store_true",
        help="some people and the preset tiny, to see that it works; figures go to .bench/small",
    )  # fmt: skip


def main() -> None:
    """Train every run of a data set that is not finished yet."""
    parser = study_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the model")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    study = Study(arguments.dataset, arguments.small)
    for run in study.runs(arguments.seeds):

        def tell(epoch: Epoch, name: str = run.name) -> None:
            console.print(
                f"{name}: epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.3f}  "
                f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}  {epoch.seconds:.0f} s"
            )

        report = train(
            study.training_set, run.folder.path, run.preset, seed=run.seed, progress=tell
        )
        verb, record = "trained" if report.is_new else "already trained", report.record
        console.print(
            f"{run.name}: {verb}, best epoch {record.best_epoch} of {record.epochs}, validation "
            f"NDCG@10 {record.validation_ndcg_10:.4f}, {record.seconds:.0f} s on {record.device}"
        )


if __name__ == "__main__":
    main()
