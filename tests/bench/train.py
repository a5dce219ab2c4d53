"""How fast the trainer learns, beside transformers' own masked model used plainly.

python -m tests.bench.train [--rival-epochs N]

Both learn from ML-1M in one process, 2 threads, float32, as many tokens a batch. First an epoch of
each: events read a second. Then the rival learns for some epochs, and ours until it is as good on
the validation events, and on until NDCG@10 is .175 there.
"""

import argparse
import time
from collections.abc import Callable

import torch
from rich.console import Console

from models_ml.config import preset_named
from models_ml.training import Training
from models_ml.training_set import read_training_set
from tests.bench.figures import Figure, publish
from tests.bench.plain_bert import LENGTH, PlainBert
from tests.bench.quality_runs import training_set

PRESET = "movielens"
ENOUGH = 0.175
MOST_EPOCHS = 40
console = Console(highlight=False)


def main() -> None:
    """Measure and write `.bench/train.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-epochs", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    preset = preset_named(PRESET)
    data = read_training_set(training_set("ml-1m"))
    torch.manual_seed(0)
    rival = PlainBert(data, width=preset.hidden_size, layers=preset.layers, heads=preset.heads)
    ours = Training(data, preset, seed=0)
    targets = ours.parts.validation_targets

    def rival_epoch() -> int:
        return rival.epoch(preset.events_per_batch // LENGTH)

    def our_epoch() -> int:
        return _epoch(ours)

    def rival_quality() -> float:
        return rival.validate(targets)

    theirs = _learn("rival", rival_epoch, rival_quality, arguments.rival_epochs, 1.0)
    mine = _learn("ours", our_epoch, ours.validate, MOST_EPOCHS, ENOUGH)
    best = max(quality for _, _, quality in theirs)
    as_good = next((point for point in mine if point[2] >= best), None)
    enough = next((point for point in mine if point[2] >= ENOUGH), None)
    speeds = {
        name: sum(events for events, _, _ in told) / told[-1][1]
        for name, told in (("ours", mine), ("rival", theirs))
    }
    figures = [
        Figure("events read a second, ours", speeds["ours"], "1/s", None, "higher", "goal"),
        Figure("events read a second, rival", speeds["rival"], "1/s", None, "higher", "goal"),
        Figure("ours / rival", speeds["ours"] / speeds["rival"], "times", 5.0, "higher", "goal"),
        Figure("the rival's best validation NDCG@10", best, "", None, "higher", "goal"),
        Figure("seconds of the rival to it", theirs[-1][1], "s", None, "lower", "goal"),
    ]
    if as_good:
        figures.append(Figure("seconds of ours to it", as_good[1], "s", None, "lower", "goal"))
    minutes = enough[1] / 60 if enough else float("inf")
    figures.append(Figure(f"minutes of ours to {ENOUGH}", minutes, "minutes", 10, "lower", "goal"))
    publish("train", figures)


Point = tuple[int, float, float]
"""Events read in an epoch; seconds of learning up to its end; validation NDCG@10 then."""


def _learn(
    name: str,
    epoch: Callable[[], int],
    quality: Callable[[], float],
    most: int,
    enough: float,
) -> list[Point]:
    """Learn for *most* epochs, or until *enough*; validating is not timed."""
    points: list[Point] = []
    seconds = 0.0
    while len(points) < most and not (points and points[-1][2] >= enough):
        began = time.perf_counter()
        events = epoch()
        seconds += time.perf_counter() - began
        points.append((events, seconds, quality()))
        console.print(
            f"{name}: epoch {len(points)}  {events / seconds * len(points):,.0f} events/s  "
            f"{seconds:.0f} s  validation NDCG@10 {points[-1][2]:.4f}"
        )
    return points


def _epoch(run: Training) -> int:
    state, events = run.progress, 0
    batches = run.batches(state.epoch)
    for windows in batches:
        run.step(windows, (state.epoch + state.step / len(batches)) / run.epochs)
        events += int((windows.stops - windows.starts).sum())
        state.step += 1
    state.epoch, state.step = state.epoch + 1, 0
    return events


if __name__ == "__main__":
    main()
