"""Counting in many windows at once, as fitting and judging ask for.

What `Counts.shares` does one window after the other, without torch, for the few that a request
asks for. Both give the same but for rounding.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models_ml.baselines.counts import DAY, FOLLOWED, HOUR, Counting, Counts, likeness, scaled
from models_ml.baselines.item_neighbours import Neighbours
from models_ml.baselines.linear_counts import LinearCounts
from models_ml.data.event_windows import EventWindows

MOST_PLACES = 6000
"""With more of them a matrix of places by places is too large, and windows are taken singly."""


def shares_at_once(counts: Counts | LinearCounts, windows: EventWindows) -> NDArray[np.float32]:
    """Share out 1 among the places after each of *windows*, (B, P)."""
    if isinstance(counts, LinearCounts):
        return counts.shares(windows.events, windows.starts, windows.stops)
    counting, size = counts.counting, len(counts.neighbours)
    if size > MOST_PLACES:
        return counts.shares(windows.events, windows.starts, windows.stops)
    shares = np.zeros((len(windows), size), dtype=np.float32)
    if counting.own:
        shares += np.float32(counting.own) * own_visits(windows, counting, size)
    if counting.follow:
        pointing = pointed_to(windows, counts.neighbours, counting.follow_power)
        shares += np.float32(counting.follow) * pointing
    return shares


def own_visits(windows: EventWindows, counting: Counting, size: int) -> NDArray[np.float32]:
    """Share out 1 among the places that each of *windows* has itself, (B, P)."""
    past = windows.past
    # Of each event the one before it; a window's oldest has none.
    has_before = past.ages < (windows.stops - windows.starts)[past.rows] - 1
    before = np.maximum(np.arange(len(past.rows)) - 1, 0)
    last = past.ends[past.rows] - 1
    hours = past.ats % DAY / HOUR
    came_after = counting.own_next * (past.places[before] == past.places[last])
    came_after = came_after + counting.own_hour * likeness(hours[before], hours[last])
    weights = np.exp(-past.ages / counting.own_age) * (1 + has_before * came_after)
    known = (past.places >= 0) & (past.places < size)
    cells = past.rows[known] * size + past.places[known]
    sums = np.bincount(cells, weights=weights[known], minlength=len(windows) * size)
    return scaled(sums.astype(np.float32).reshape(len(windows), size))


def pointed_to(
    windows: EventWindows, neighbours: Neighbours, follow_power: float
) -> NDArray[np.float32]:
    """Share out 1 among what the places of each of *windows* point to, (B, P)."""
    past, size = windows.past, len(neighbours)
    near = (past.ages < FOLLOWED) & (past.places >= 0) & (past.places < size)
    fading = (1.0 + past.ages[near]) ** -follow_power
    begins = np.searchsorted(past.rows[near], np.arange(len(windows)))
    sums = functional.embedding_bag(
        torch.from_numpy(past.places[near]),
        torch.from_numpy(neighbours.dense),
        torch.from_numpy(begins),
        mode="sum",
        per_sample_weights=torch.from_numpy(fading.astype(np.float32)),
    )
    return scaled(sums.numpy())
