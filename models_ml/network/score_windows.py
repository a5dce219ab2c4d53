"""Scores after many windows of events, where windows that begin together are read once.

A person is asked about at each of their held-out events, and the network looks back only: one
reading of the longest window answers all that begin where it does.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import collate
from models_ml.network.inference import Scorer

_EVENTS_AT_ONCE = 8192
_ASKED_AT_ONCE = 512


def score_windows(
    scorer: Scorer, windows: EventWindows, device: torch.device, *, has_times: bool
) -> NDArray[np.float32]:
    """Score every place as the next after each of *windows*, (B, V)."""
    scores = np.empty((len(windows), len(scorer.table)), dtype=np.float32)
    for asked, starts, longest in _batches(windows):
        batch = collate(windows.events, starts, longest, has_times=has_times).to(device)
        rows = np.searchsorted(starts, windows.starts[asked])
        ends = windows.stops[asked] - windows.starts[asked]
        with torch.inference_mode():
            found = scorer.score_at(
                batch, torch.from_numpy(rows).to(device), torch.from_numpy(ends).to(device)
            )
        scores[asked] = found.float().cpu().numpy()
    return scores


def _batches(
    windows: EventWindows,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield which are asked, where the windows to read begin, in order, and where they end."""
    starts, whose = np.unique(windows.starts, return_inverse=True)
    longest = np.zeros(len(starts), dtype=np.int64)
    np.maximum.at(longest, whose, windows.stops)
    counts = np.bincount(whose, minlength=len(starts))
    by_start = np.argsort(whose, kind="stable")
    begins = np.cumsum(counts) - counts
    # Of like length together, so that there is little to pad.
    order = np.argsort(longest - starts, kind="stable")
    begin = 0
    while begin < len(order):
        end, questions = begin, 0
        while end < len(order):
            length = longest[order[end]] - starts[order[end]] + 1
            questions += counts[order[end]]
            is_full = length * (end + 1 - begin) > _EVENTS_AT_ONCE or questions > _ASKED_AT_ONCE
            if is_full and end > begin:
                break
            end += 1
        some = np.sort(order[begin:end])
        asked = np.concatenate([by_start[begins[one] : begins[one] + counts[one]] for one in some])
        yield asked, starts[some], longest[some]
        begin = end
