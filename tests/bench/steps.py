"""What a training would take if the cores never stood still, beside what it takes here.

python -m tests.bench.steps TRAINING_SET_FOLDER [--preset NAME]

Where a machine is shared, its cores stand still now and then, and a long measurement has all of
their pauses in it. So a sample of an epoch's batches is learned from several times: the fastest
time of each has the least of them. The mean of all times tells what one gets.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from models_ml.data.training_set import read_training_set
from models_ml.presets import PRESETS, preset_named
from models_ml.training.batches import Windows
from models_ml.training.run import Training

BATCHES, TIMES = 12, 8


def main() -> None:
    """Print seconds for an epoch and for all epochs, undisturbed and as measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--preset", default="base", choices=PRESETS)
    arguments = parser.parse_args()
    training = Training(read_training_set(arguments.data), preset_named(arguments.preset), 0)
    batches = training.batches(0)
    chosen = np.random.default_rng(0).permutation(len(batches))[:BATCHES]
    seconds = np.array([[_seconds(training, batches[nth]) for _ in range(TIMES)] for nth in chosen])
    for name, step in (("undisturbed", seconds.min(axis=1).mean()), ("as it is", seconds.mean())):
        epoch = step * len(batches)
        Console(highlight=False, width=120).print(
            f"{name:12} {step:.3f} s a step, {epoch:.1f} s an epoch of {len(batches)} steps, "
            f"{epoch * training.epochs:.0f} s for {training.epochs} epochs at most, "
            f"{torch.get_num_threads()} threads"
        )


def _seconds(training: Training, windows: Windows) -> float:
    began = time.perf_counter()
    training.step(training.lay_out(windows, epoch=0, step=0), share_done=0.1)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
