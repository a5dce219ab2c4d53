"""How fast a step learns beside one of transformers' own masked model, a step of each in turn.

python -m tests.bench.train_steps [--steps N]

The speeds of `bench-train` without its qualities, for a machine that is busy: what slows one step
slows the next, so the ratio of the medians says more there than that of two long trainings.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from models_ml.data.training_set import read_training_set
from models_ml.presets import preset_named
from models_ml.training.run import Training
from tests.bench.figures import Figure, publish
from tests.bench.plain_bert import LENGTH, PlainBert
from tests.bench.quality_runs import Study
from tests.bench.train import PRESET

_WARM_UP = 3


def main() -> None:
    """Measure and write `.bench/train-steps.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    steps = parser.parse_args().steps + _WARM_UP
    torch.set_num_threads(2)
    preset = preset_named(PRESET)
    data = read_training_set(Study("ml-1m").training_set)
    torch.manual_seed(0)
    rival = PlainBert(data, width=preset.hidden_size, layers=preset.layers, heads=preset.heads)
    ours = Training(data, preset, seed=0)
    batches = ours.batches(0)[:steps]
    taken: dict[str, list[float]] = {"rival": [], "ours": []}
    for histories, windows, lessons in zip(
        rival.batches(preset.events_per_batch // LENGTH),
        batches,
        ours.lessons(batches),
        strict=False,
    ):
        events = sum(len(history) for history in histories)
        taken["rival"].append(_seconds(partial(rival.step, histories)) / events)
        events = int((windows.stops - windows.starts).sum())
        taken["ours"].append(_seconds(partial(ours.step, lessons, 0.5)) / events)
    slow, fast = (float(np.median(seconds[_WARM_UP:])) for seconds in taken.values())
    publish(
        "train-steps",
        [
            Figure("events read a second, ours", 1 / fast, "1/s", None, "higher", "goal"),
            Figure("events read a second, rival", 1 / slow, "1/s", None, "higher", "goal"),
            Figure("ours / rival", slow / fast, "times", 5.0, "higher", "goal"),
        ],
    )


def _seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
