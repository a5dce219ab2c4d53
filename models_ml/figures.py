"""What is told of how good a model is, as types; whoever reads them needs no numpy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A 95 % interval by resampling."""

    low: float
    high: float


@dataclass(frozen=True)
class RankFigures:
    """Hit rates, NDCG@10 and mean reciprocal rank of n targets."""

    hr_1: float
    hr_10: float
    ndcg_10: float
    mrr: float
    n: int


@dataclass(frozen=True)
class Bin:
    """A tenth of the answers by confidence: mean confidence and accuracy of n answers."""

    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """How far the stated chance of the first place is from how often it was right."""

    error: float
    bins: list[Bin]
