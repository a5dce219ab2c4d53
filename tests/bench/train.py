"""How fast the trainer learns, beside transformers' own masked model used plainly.

python -m tests.bench.train [--rival-epochs N] [--small]

Both learn from ML-1M in one process, 2 threads (1 in the small form), float32, as many tokens a
batch, an epoch of each in turn, and are asked the same validation events. The rival learns for some
epochs, ours until NDCG@10 is .175 there. Of long histories ours reads a part twice, as context of
what follows; so speeds are told both as events read and with each event counted once an epoch.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from rich.console import Console

from models_ml.data.training_set import read_training_set
from models_ml.presets import preset_named
from models_ml.training.run import Training
from tests.bench.figures import Figure, publish
from tests.bench.plain_bert import LENGTH, PlainBert
from tests.bench.quality_runs import Study, add_small

PRESET = "movielens"
ENOUGH = 0.175
MOST_EPOCHS = 40
LIMIT = 600.0
console = Console(highlight=False)


@dataclass(frozen=True)
class Point:
    """What an epoch read, how long all learning took up to its end, and how good it was then."""

    read: int
    once: int
    seconds: float
    quality: float


@dataclass
class Learner:
    """One side: *epoch* learns and tells events read, and those counted once."""

    name: str
    epoch: Callable[[], tuple[int, int]]
    quality: Callable[[], float]
    most_epochs: int
    enough: float
    points: list[Point] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether it has learned for all its epochs, or enough."""
        told = self.points
        return len(told) == self.most_epochs or bool(told and told[-1].quality >= self.enough)

    def learn(self) -> None:
        """Learn for an epoch; validating is not timed."""
        began = time.perf_counter()
        read, once = self.epoch()
        seconds = time.perf_counter() - began + (self.points[-1].seconds if self.points else 0.0)
        self.points.append(Point(read, once, seconds, self.quality()))
        console.print(
            f"{self.name}: epoch {len(self.points)}  {self.speed('read'):,.0f} events/s  "
            f"{seconds:.0f} s  validation NDCG@10 {self.points[-1].quality:.4f}"
        )

    def speed(self, counted: str) -> float:
        """Events a second, *counted* as they were read or once an epoch."""
        return sum(getattr(point, counted) for point in self.points) / self.points[-1].seconds

    def first(self, quality: float) -> float:
        """Seconds until the epoch that was as good as *quality*; infinite where none was."""
        return next((one.seconds for one in self.points if one.quality >= quality), float("inf"))

    def best(self, seconds: float) -> float:
        """The best quality of the epochs that ended within so many *seconds*; 0 of none."""
        return max((one.quality for one in self.points if one.seconds <= seconds), default=0.0)


def main() -> None:
    """Measure and write `.bench/train.json`, the small form `.bench/small/train.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-epochs", type=int, default=8)
    add_small(parser)
    arguments = parser.parse_args()
    study = Study("ml-1m", arguments.small)
    torch.set_num_threads(1 if study.small else 2)
    preset = preset_named("tiny" if study.small else PRESET)
    data = read_training_set(study.training_set)
    torch.manual_seed(0)
    plain = PlainBert(data, width=preset.hidden_size, layers=preset.layers, heads=preset.heads)
    training = Training(data, preset, seed=0)
    rival = Learner(
        "rival",
        lambda: plain.epoch(preset.events_per_batch // LENGTH),
        lambda: plain.validate(training.validated_targets),
        1 if study.small else arguments.rival_epochs,
        1.0,
    )
    most = min(MOST_EPOCHS, training.epochs)
    ours = Learner("ours", lambda: _epoch(training), training.validate, most, ENOUGH)
    # In turn, so that what else the machine does slows both alike.
    while not (rival.is_done and ours.is_done):
        for learner in (rival, ours):
            if not learner.is_done:
                learner.learn()
    publish("train", _figures(ours, rival), study.figures)


def _figures(ours: Learner, rival: Learner) -> list[Figure]:
    figures = []
    for counted, told in (("read", "read"), ("once", "each counted once an epoch")):
        speeds = [learner.speed(counted) for learner in (ours, rival)]
        figures += [
            Figure(f"events a second, {told}, ours", speeds[0], "1/s", None, "higher", "goal"),
            Figure(f"events a second, {told}, rival", speeds[1], "1/s", None, "higher", "goal"),
            Figure(f"the same, ours / rival, {told}", speeds[0] / speeds[1], "times", 5.0,
                   "higher", "goal"),
        ]  # fmt: skip
    best = rival.best(float("inf"))
    figures += [
        Figure("the rival's best validation NDCG@10", best, "", None, "higher", "goal"),
        Figure("seconds of the rival to it", rival.first(best), "s", None, "lower", "goal"),
        Figure("seconds of the rival / of ours to it", rival.first(best) / ours.first(best),
               "times", None, "higher", "goal"),
        Figure("validation NDCG@10 of ours within 10 minutes", ours.best(LIMIT), "", ENOUGH,
               "higher", "goal"),
    ]  # fmt: skip
    reached = [("seconds of ours to it", best), (f"seconds of ours to {ENOUGH}", ENOUGH)]
    return figures + [
        Figure(told, ours.first(quality), "s", None, "lower", "goal")
        for told, quality in reached
        if ours.best(float("inf")) >= quality
    ]


def _epoch(run: Training) -> tuple[int, int]:
    state = run.progress
    batches = run.batches(state.epoch)
    for lessons in run.lessons(batches):
        run.step(lessons, (state.epoch + state.step / len(batches)) / run.epochs)
    state.epoch, state.step = state.epoch + 1, 0
    read = sum(int((windows.stops - windows.starts).sum()) for windows in batches)
    once = sum(int((windows.stops - windows.firsts).sum()) for windows in batches)
    return read, once


if __name__ == "__main__":
    main()
