"""Lessons: the windows of a history that one epoch learns from, in batches with little padding."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml.data.packing import Packing
from models_ml.data.split import Split
from models_ml.data.tokens import MAX_EVENTS, Batch, EventTokens, collate
from models_ml.data.training_set import TrainingSet
from models_ml.network.loss import Candidates

WINDOW = MAX_EVENTS + 1
# Of a window that begins inside a history, the first events are only read: what they
# would teach has been taught with more behind it in the window before.
CONTEXT = 100


@dataclass(frozen=True)
class Windows:
    """Runs of events; those from ``firsts`` on are to be guessed."""

    starts: NDArray[np.int64]
    firsts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def take(self, chosen: NDArray[np.int64]) -> "Windows":
        """Keep the *chosen* windows, in that order."""
        return Windows(self.starts[chosen], self.firsts[chosen], self.stops[chosen])


@dataclass(frozen=True)
class Lessons:
    """All that a step of one process needs.

    batch       what is read
    targets     (B, T)  places to guess, by token; 0: none
    at          (N,)    where there are any, in the flattened batch
    candidates  what they are weighed against, if not against all
    count       N; 0 where this process reads only to keep the others company
    total       of all processes
    seed        of what the network draws
    """

    batch: Batch
    targets: Tensor
    at: Tensor
    candidates: Candidates | None
    count: int
    total: int
    seed: int


def windows_of(data: TrainingSet, parts: Split, generator: np.random.Generator) -> Windows:
    """Cut what each user teaches into windows; long histories are cut elsewhere each time."""
    begins, ends = data.offsets[:-1], parts.learn_ends
    lengths = ends - begins
    step = WINDOW - CONTEXT
    is_long = lengths > WINDOW
    shifts = np.where(is_long, generator.integers(0, step, size=len(lengths)), 0)
    first_stops = np.where(is_long, begins + WINDOW - shifts, ends)
    counts = np.where(is_long, -((first_stops - ends) // step) + 1, 1)
    counts[lengths == 0] = 0
    users = np.repeat(np.arange(len(lengths)), counts)
    nth = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    stops = np.minimum(first_stops[users] + nth * step, ends[users])
    firsts = np.where(nth == 0, begins[users], first_stops[users] + (nth - 1) * step)
    kept = firsts < stops
    starts = np.maximum(begins[users], stops - WINDOW)
    return Windows(starts[kept], firsts[kept], stops[kept])


def batches_of(
    windows: Windows, events_per_batch: int, generator: np.random.Generator
) -> list[Windows]:
    """Group windows of like length, about *events_per_batch* events each, in random order."""
    lengths = windows.stops - windows.starts
    order = np.lexsort((generator.random(len(lengths)), lengths))
    groups: list[NDArray[np.int64]] = []
    begin = 0
    while begin < len(order):
        # Sorted by length, the last of a group is its longest, which all are padded to.
        end = begin + 1
        while end < len(order) and lengths[order[end]] * (end + 1 - begin) <= events_per_batch:
            end += 1
        groups.append(order[begin:end])
        begin = end
    return [windows.take(groups[number]) for number in generator.permutation(len(groups))]


def lesson_batch(events: EventTokens, windows: Windows, *, has_times: bool) -> tuple[Batch, Tensor]:
    """Return what is read and, for each position, the place to guess (0: none), (B, T)."""
    batch = collate(events, windows.starts, windows.stops - 1, has_times=has_times)
    columns = np.arange(batch.places.shape[1])
    index = windows.starts[:, None] + columns
    is_lesson = (index >= windows.firsts[:, None]) & (index < windows.stops[:, None])
    targets = np.where(is_lesson, events.places[np.where(is_lesson, index, 0)], 0)
    return batch, torch.from_numpy(targets)


def packed(batch: Batch) -> Batch:
    """Let the encoder read *batch* without its padding."""
    return replace(batch, packing=Packing.of(batch.lengths, batch.places.shape[1]))
