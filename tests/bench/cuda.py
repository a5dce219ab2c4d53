"""What training and embedding make of a CUDA card, beside what the card can.

python -m tests.bench.cuda [--parts card steps places embed] [--data SET] [--model MODEL] [--small]

Needs what `models_ml` needs, and no network. Meant to take less than ten minutes; each part can be
asked for by itself, and has a file of its own then. Histories are as long as those of the training
set SET, or log-normal without one. The part `embed` needs a model folder, and takes its people from
SET. Without CUDA nothing is measured; --small runs the same code anywhere in seconds, and its
figures say nothing.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models_ml.data.tensors import moved
from models_ml.data.training_set import TrainingSetFolder
from models_ml.training.batches import WINDOW
from models_ml.training.distributed import Processes
from models_ml.training.run import Training
from tests.bench.cuda_steps import OF_THE_CARD, SEQUENCES, Shape, step_figures, wait
from tests.bench.embed import embed_figures
from tests.bench.figures import Figure, publish, show
from tests.bench.roofline import Card
from tests.bench.synthetic import lengths_like, training_set

PARTS = ("card", "steps", "places", "embed")
_TIMES = 10


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write `.bench/cuda.json`, or `.bench/cuda-PARTS.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--data", type=Path, help="a training set, for the lengths of histories")
    parser.add_argument("--model", type=Path, help="a model folder, for the part embed")
    parser.add_argument("--small", action="store_true", help="run the code, anywhere, in seconds")
    asked = parser.parse_args(words)
    device = Processes().device
    if device.type != "cuda" and not asked.small:
        _say("No CUDA device here, so nothing was measured and no figures were written.")
        return
    figures: list[Figure] = []
    card = _card(device, 256 if asked.small else 8192, figures)
    if "steps" in asked.parts:
        for shape in _shapes(asked.data, is_small=asked.small):
            figures += step_figures(shape, card)
    if "places" in asked.parts:
        figures += _places(2_000 if asked.small else 1_000_000, device)
    if "embed" in asked.parts:
        if asked.data and asked.model:
            figures += embed_figures(asked.model, TrainingSetFolder(asked.data).histories)
        else:
            _say("The part embed is left out: it needs --data and --model.")
    if asked.small:
        show("bench-cuda --small: these figures say nothing", figures)
    else:
        _say(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}")
        publish("-".join(["cuda", *(() if asked.parts == PARTS else asked.parts)]), figures)


def _card(device: torch.device, size: int, figures: list[Figure]) -> Card:
    """Measure what the card does at best with large matrices in bfloat16, and with copies."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    operations = 2 * size**3 / _best(lambda: left @ right, device)
    source = torch.zeros(32 * size * size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() / _best(lambda: target.copy_(source), device)
    figures += [
        Figure(
            f"bfloat16 products of {size} x {size}", operations / 1e12, "10^12/s", None, "higher",
            "goal",
        ),
        Figure(
            "copies, read and written", copied / 1e9, "10^9 bytes/s", None, "higher", "goal"
        ),
    ]  # fmt: skip
    return Card(operations, copied)


def _best(do: Callable[[], object], device: torch.device) -> float:
    seconds = []
    for _ in range(_TIMES):
        wait(device)
        began = time.perf_counter()
        do()
        wait(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _shapes(data: Path | None, *, is_small: bool) -> list[Shape]:
    histories = TrainingSetFolder(data).histories if data else None
    if is_small:
        lengths = lengths_like(histories, 150)
        return [Shape("width 8, 1 layer", 8, 1, 1, lengths, 100, 512, 2)]
    # So long that each window is full, whatever is held out of a history.
    full = np.full(24_000, 2 * WINDOW, dtype=np.int64)
    like = lengths_like(histories, 200_000)
    return [
        Shape(
            "width 512, 8 layers", 512, 8, 8, full, 20_000, 65_536, 40, share=OF_THE_CARD
        ),
        Shape(
            "width 64, 2 layers", 64, 2, 2, like, 3_500, 262_144, 25, sequences=SEQUENCES
        ),
    ]  # fmt: skip


def _places(places: int, device: torch.device) -> list[Figure]:
    """Take the loss over all of very many places, and tell how much memory that took at most."""
    lengths = np.full(max(40, places // 150), WINDOW, dtype=np.int64)
    data = training_set(lengths, places)
    shape = Shape("", 64, 2, 2, lengths, places, 8192, 0)
    # So many candidates that it is all of them.
    run = Training(data, replace(shape.preset, candidates=places), seed=0)
    lessons = moved(run.lay_out(run.batches(0)[0], epoch=0, step=0), run.device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    began = time.perf_counter()
    run.loss(lessons).backward()
    wait(device)
    name = f"{len(run.vocabulary):,} places, {lessons.count:,} targets, width 64"
    figures = [
        Figure(
            f"{name}: loss and gradients", time.perf_counter() - began, "s", None, "lower", "goal"
        )
    ]
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) / 1e9
        figures.append(Figure(f"{name}: peak memory", peak, "10^9 bytes", None, "lower", "goal"))
    return figures


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own output


if __name__ == "__main__":
    main()
