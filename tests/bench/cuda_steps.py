"""Steps of training on a device: how many a second, how near to what the card can, and in what."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.data.tensors import moved
from models_ml.presets import PRESETS, Preset
from models_ml.training.batches import Windows
from models_ml.training.run import Training
from tests.bench.figures import Figure
from tests.bench.roofline import Card, Encoder
from tests.bench.synthetic import training_set

OF_THE_CARD = 0.4
SEQUENCES = 100_000.0


@dataclass(frozen=True)
class Shape:
    """A network to time, what it reads, and which goals its figures have."""

    name: str
    width: int
    layers: int
    heads: int
    lengths: NDArray[np.int64]
    places: int
    events_per_batch: int
    steps: int
    share: float | None = None
    sequences: float | None = None

    @property
    def preset(self) -> Preset:
        """The encoder and its places alone, as the `reviews` preset has them."""
        return replace(
            PRESETS["reviews"],
            hidden_size=self.width,
            layers=self.layers,
            heads=self.heads,
            events_per_batch=self.events_per_batch,
            candidates=1024,
        )


def step_figures(shape: Shape, card: Card) -> list[Figure]:
    """Time *shape* packed and padded, compiled and not, and tell what a step's time goes into."""
    run = Training(training_set(shape.lengths, shape.places), shape.preset, seed=0)
    batches = run.batches(0)
    if len(batches) < 2 * shape.steps:
        raise ValueError(f"{shape.name}: {len(batches)} batches; {2 * shape.steps} are needed.")
    figures = []
    for is_packed in (True, False):
        for is_compiled in {run.is_compiled, False}:
            with _variant(run, is_packed=is_packed, is_compiled=is_compiled):
                seconds = _seconds(run, batches, shape.steps)
            told = f"{'packed' if is_packed else 'padded'}, {'' if is_compiled else 'not '}compiled"
            is_default = is_packed and is_compiled == run.is_compiled
            variant = replace(
                shape,
                name=f"{shape.name}, {told}",
                share=shape.share if is_default else None,
                sequences=shape.sequences if is_default else None,
            )
            figures += _rates(variant, batches[: shape.steps], seconds, card)
    return figures + _parts(run, batches[: shape.steps], shape.name)


def _rates(shape: Shape, batches: list[Windows], seconds: float, card: Card) -> list[Figure]:
    lengths = np.concatenate([windows.stops - windows.starts for windows in batches])
    encoder = Encoder(shape.width, shape.layers)
    operations = encoder.operations(lengths)
    bound = card.least_seconds(operations, encoder.bytes_moved(int(lengths.sum())))
    name, share = shape.name, operations / seconds / card.operations
    return [
        Figure(
            f"{name}: sequences a second", len(lengths) / seconds, "1/s",
            shape.sequences, "higher", "goal",
        ),
        Figure(f"{name}: tokens a second", lengths.sum() / seconds, "1/s", None, "higher", "goal"),
        Figure(
            f"{name}: of the measured matrix rate", share, "", shape.share, "higher", "goal",
        ),
        Figure(f"{name}: of what the roofline allows", bound / seconds, "", None, "higher", "goal"),
    ]  # fmt: skip


@contextmanager
def _variant(run: Training, *, is_packed: bool, is_compiled: bool) -> Iterator[None]:
    before = run._packs
    run._packs = is_packed
    torch.compiler.set_stance("default" if is_compiled else "force_eager")
    try:
        yield
    finally:
        run._packs = before
        torch.compiler.set_stance("default")


def _seconds(run: Training, batches: list[Windows], steps: int) -> float:
    """Learn from *steps* batches, after as many that are not timed; return what they took."""
    run.progress.step = 0
    coming = run.lessons(batches[steps : 2 * steps] + batches[:steps])
    for lessons in islice(coming, steps):
        run.step(lessons, 0.5)
    wait(run.device)
    began = time.perf_counter()
    for lessons in coming:
        run.step(lessons, 0.5)
    wait(run.device)
    return time.perf_counter() - began


def _parts(run: Training, batches: list[Windows], name: str) -> list[Figure]:
    """Part the time of a step; each part waits for the one before, so they add up to more."""
    run.progress.step = 0
    taken: dict[str, list[float]] = {
        part: [] for part in ("data", "forward", "backward", "optimizer")
    }

    def timed(part: str, do: Callable[[], object]) -> object:
        began = time.perf_counter()
        done = do()
        wait(run.device)
        taken[part].append(time.perf_counter() - began)
        return done

    coming = run.lessons(batches)
    for _ in batches:
        lessons = timed("data", lambda: moved(next(coming), run.device))
        run.optimizer.zero_grad(set_to_none=True)
        loss = timed("forward", partial(run.loss, lessons))
        timed("backward", loss.backward)
        timed("optimizer", run._update)
    return [
        Figure(
            f"{name}: {part} of a step", float(np.median(seconds) * 1000), "ms", None, "lower",
            "goal",
        )
        for part, seconds in taken.items()
    ]  # fmt: skip


def wait(device: torch.device) -> None:
    """Wait until *device* has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
