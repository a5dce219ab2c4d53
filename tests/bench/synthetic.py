"""Training sets in memory, of any size, for measuring speed: nothing can be learned from them."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS
from models_ml.data.training_set import PlaceTable, TrainingSet

FEW = 20
"""Nobody has fewer events."""


def lengths_like(histories: Path | None, people: int) -> NDArray[np.int64]:
    """Draw how many events people have, at most `MAX_EVENTS`: as in *histories*, or log-normal.

    The log-normal has a median of 96 and a spread of 1, and none below `FEW`: about ML-1M's.
    """
    generator = np.random.default_rng(0)
    if histories is None:
        drawn = np.exp(generator.normal(np.log(96), 1.0, people)).astype(np.int64)
        return np.clip(drawn, FEW, MAX_EVENTS)
    lists = pq.read_table(histories, columns=["place_ids"])["place_ids"].combine_chunks()
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return np.clip(generator.choice(lengths, people), 1, MAX_EVENTS).astype(np.int64)


def place_table(count: int) -> PlaceTable:
    """Make *count* places of which nothing is known, the first the most popular."""
    nowhere = np.full(count, np.nan)
    names = [f"p{number}" for number in range(count)]
    return PlaceTable(names, [[]] * count, [""] * count, nowhere, nowhere, np.arange(count, 0, -1))


def training_set(lengths: NDArray[np.int64], places: int) -> TrainingSet:
    """Make people who choose among *places* at random, the popular ones oftener."""
    generator = np.random.default_rng(1)
    count = int(lengths.sum())
    chosen = (places * generator.random(count) ** 2).astype(np.int64)
    # Each place at least once, so that all are in the vocabulary.
    chosen[: min(places, count)] = np.arange(min(places, count))
    return TrainingSet(
        user_ids=[f"u{number}" for number in range(len(lengths))],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        places=chosen,
        kinds=np.zeros(count, dtype=np.int64),
        kind_names=["visit"],
        ats=np.arange(count, dtype=np.int64),
        ratings=np.full(count, -1.0),
        catalogue=place_table(places),
        cut_at=count,
        is_time_synthetic=True,
        hash="synthetic",
    )
