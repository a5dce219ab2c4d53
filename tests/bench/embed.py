"""How long 100 million people would take: their vectors, and the best places of each.

python -m tests.bench.embed [--model MODEL] [--histories FILE]

On whatever device there is; by default with the model trained on ML-1M, for its people. Reading the
file is part of both.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from models_ml.data.history_files import HistoriesFile
from models_ml.data.training_set import TrainingSetFolder
from models_ml.embed import embed_people
from models_ml.loading import load
from models_ml.model_folder import CONFIG
from tests.bench.figures import Figure, publish

MOST = 10
EVERYBODY = 100_000_000
_AT_ONCE = 4096
_SECONDS = 3.0
_QUALITY = Path(__file__).parents[2] / ".quality" / "ml-1m"


def main() -> None:
    """Measure and write `.bench/embed.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model folder, no baseline")
    histories = TrainingSetFolder(_QUALITY / "set").histories
    parser.add_argument("--histories", type=Path, default=histories)
    asked = parser.parse_args()
    models = sorted((_QUALITY / "runs").glob(f"movielens-*-0/{CONFIG}"))
    if not (asked.model or models):
        parser.error("no --model, and none trained on ML-1M: make train-quality DATASET=ml-1m")
    publish("embed", embed_figures(asked.model or models[0].parent, asked.histories))


def embed_figures(model: Path, histories: Path) -> list[Figure]:
    """Time vectors and best places of all people in *histories*, and project to `EVERYBODY`."""
    recommender = load(model)
    file = HistoriesFile(histories)

    def vectors() -> Iterator[int]:
        return (len(part) for _, part in embed_people(recommender, histories))

    def best() -> Iterator[int]:
        for _, columns in file.read(_AT_ONCE):
            yield len(recommender.best(columns, MOST)[0])

    return [
        figure
        for name, make in (("vectors", vectors), (f"{MOST} best places", best))
        for figure in _rate(name, make)
    ]


def _rate(name: str, make: Callable[[], Iterator[int]]) -> list[Figure]:
    next(make())
    people, began = 0, time.perf_counter()
    # Again and again, where the file holds too few people to be timed.
    while time.perf_counter() - began < _SECONDS:
        people += sum(make())
    rate = people / (time.perf_counter() - began)
    hours = EVERYBODY / rate / 3600
    return [
        Figure(f"{name}: people a second", rate, "1/s", None, "higher", "goal"),
        Figure(f"{name}: 10^8 people, projected", hours, "hours", None, "lower", "goal"),
    ]


if __name__ == "__main__":
    main()
