"""Latency and size: the time of an answer on one thread, and a model's bytes on disk."""

import time

import numpy as np
import torch

from models_ml.data.tokens import MAX_EVENTS, History
from models_ml.evaluation.report import AnswerCost
from models_ml.model_folder import CONTENT, GRAPH, ModelFolder
from models_ml.recommender import Recommender

# The last is there where serving has exported the network.
_RELEASED = (*CONTENT, GRAPH)
_TIMES, _WARM_UP = 50, 5


def answer_cost(recommender: Recommender, folder: ModelFolder) -> AnswerCost:
    """Score one person of `MAX_EVENTS` events again and again; milliseconds, and bytes.

    *recommender* is what a release answers with, *folder* what it is packed from.
    """
    names = recommender.places.place_ids
    order = np.random.default_rng(0).integers(0, len(names), size=MAX_EVENTS)
    history = History(
        [names[row] for row in order],
        ["visit"] * MAX_EVENTS,
        [nth * 3_600_000_000 for nth in range(MAX_EVENTS)],
        [-1.0] * MAX_EVENTS,
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        taken = [_seconds(recommender, history) for _ in range(_WARM_UP + _TIMES)][_WARM_UP:]
    finally:
        torch.set_num_threads(threads)
    released = [path for name in _RELEASED if (path := folder.path / name).exists()]
    return AnswerCost(
        median_ms=float(np.median(taken) * 1000),
        p95_ms=float(np.percentile(taken, 95) * 1000),
        bytes=sum(path.stat().st_size for path in released),
    )


def _seconds(recommender: Recommender, history: History) -> float:
    began = time.perf_counter()
    recommender.score([history])
    return time.perf_counter() - began
