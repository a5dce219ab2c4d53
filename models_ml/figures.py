"""What is told of how good a model is, as types; whoever reads them needs no numpy."""

from dataclasses import dataclass, field

from models_ml.typed_json import ABSENT


@dataclass(frozen=True)
class Interval:
    """A 95 % interval by resampling."""

    low: float
    high: float


@dataclass(frozen=True)
class RankFigures:
    """Hit rates, NDCG@10 and mean reciprocal rank of n targets.

    Of a whole split also ``ndcg_10_capped``, in which no person makes more than 2 % of the targets
    (of fewer than 50 people each as much), and ``largest_share``, of the targets of one person.
    """

    hr_1: float
    hr_10: float
    ndcg_10: float
    mrr: float
    n: int
    ndcg_10_capped: float | None = field(default=None, metadata=ABSENT)
    largest_share: float | None = field(default=None, metadata=ABSENT)

    @property
    def judged(self) -> float:
        """The NDCG@10 that the gate goes by; what earlier versions wrote knows but one."""
        return self.ndcg_10 if self.ndcg_10_capped is None else self.ndcg_10_capped


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
