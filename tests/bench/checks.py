"""How often to check: the proposed interval beside an oracle's and naive ones, on known truths.

python -m tests.bench.checks [--histories N] [--clumped N]

A history holds its bound if the true share of wrong rows after the proposed interval is at most
the target. Checks are compared by how many an interval takes in the same time. Seeds are fixed.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.progress import track

from orchestration.reliability.survival import TARGET, HistoryError, naive, propose
from tests.bench.figures import Figure, publish
from tests.bench.histories import HABITS, LAWS, History, make

Intervals = list[tuple[History, float]]
NAIVE = {"dropped": "censored rows dropped", "good": "censored rows taken as good"}
_NONE = 1e-2
"""Days counted where no interval is proposed."""


def main() -> None:
    """Print the figures and write `.bench/checks.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--clumped", type=int, default=32)
    asked = parser.parse_args()
    histories = [make(seed) for seed in range(asked.histories)]
    ours = _intervals(histories, _proposed)
    figures = [
        Figure("histories under the target", _held(ours), "share", 0.95, "higher", "must"),
        Figure("checks, median", _checks(ours, 0.5), "x oracle", 1.5, "lower", "goal"),
        Figure("checks, 90th percentile", _checks(ours, 0.9), "x oracle", None, "lower", "goal"),
        Figure(
            "rows a history, fewest", _fewest_rows(histories), "rows", 400_000, "higher", "must"
        ),
        *_by(ours, LAWS, lambda history: history.law),
        *_by(ours, HABITS, lambda history: history.habit),
    ]
    for how, name in NAIVE.items():
        theirs = _intervals(histories, lambda h, how=how: naive(h.checks, TARGET, censored=how))
        figures += _beside(name, theirs)
    clumped = [make(seed, clump=5) for seed in range(asked.clumped)]
    figures += _beside("wrong rows in clumps of 5", _intervals(clumped, _proposed))
    publish(Path(__file__).stem, figures)


def _proposed(history: History) -> float:
    try:
        return propose(history.checks).days
    except HistoryError:
        return _NONE


def _intervals(histories: list[History], by: Callable[[History], float]) -> Intervals:
    return [(history, by(history)) for history in track(histories, "histories")]


def _held(intervals: Intervals) -> float:
    # The oracle's own interval, where it is proposed, is as good as its last digit.
    return float(
        np.mean([h.share_at(np.array(days)) <= TARGET * (1 + 1e-9) for h, days in intervals])
    )


def _checks(intervals: Intervals, quantile: float) -> float:
    return float(np.quantile([h.oracle / max(days, 1e-9) for h, days in intervals], quantile))


def _fewest_rows(histories: list[History]) -> float:
    return min(history.checks[0].rows for history in histories)


def _by(intervals: Intervals, names: object, of: Callable[[History], str]) -> list[Figure]:
    return [
        figure
        for name in names
        if (chosen := [pair for pair in intervals if of(pair[0]) == name])
        for figure in _beside(name, chosen)
    ]


def _beside(name: str, intervals: Intervals) -> list[Figure]:
    return [
        Figure(f"{name}: under the target", _held(intervals), "share", None, "higher", "goal"),
        Figure(
            f"{name}: checks, median", _checks(intervals, 0.5), "x oracle", None, "lower", "goal"
        ),
    ]


if __name__ == "__main__":
    main()
