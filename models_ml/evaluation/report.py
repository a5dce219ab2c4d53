"""The evaluation as a type: what ``evaluation.json`` of a model folder holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models_ml.figures import Calibration, Interval, RankFigures
from models_ml.model_folder import ModelFolder
from models_ml.typed_json import ABSENT, JsonTypeError, read_json

MODEL, NETWORK, CHAMPION = "model", "network", "champion"
"""What is judged; the same without the counts that answer beside its network; what is live."""
TIME, LOO = "time", "loo"
"""The splits: the last tenth of events, and each user's last event."""
ASKED_ON = {TIME: "on the last tenth of events", LOO: "on each user's last event"}
"""The same in a sentence."""


class EvaluationError(ValueError):
    """An evaluation cannot be read; the message says which field is wrong."""


@dataclass(frozen=True)
class ListFigures:
    """What lists of recommended places are like, as `describe_lists` tells."""

    coverage: float
    novelty: float
    diversity: float | None
    popularity: float


@dataclass(frozen=True, kw_only=True)
class RecommenderFigures(RankFigures):
    """How one recommender did on a split.

    ``new_places`` rank among all places, ``new_among_unvisited`` are the same targets ranked among
    those where the person had not been.
    """

    ndcg_10_interval: Interval
    new_places: RankFigures
    new_among_unvisited: RankFigures
    returns: RankFigures
    lists: ListFigures


@dataclass(frozen=True)
class Lead:
    """How far the model is ahead of another in NDCG@10, and how likely by chance alone.

    No person counts more than in ``ndcg_10_capped``. ``without_history`` is the part of it that
    comes from people who had done nothing before.
    """

    ndcg_10: float
    interval: Interval
    p_value: float
    without_history: float


@dataclass(frozen=True)
class SliceFigures:
    """NDCG@10 by recommender of one group of targets, as ``ndcg_10_capped`` of the whole split."""

    n: int
    ndcg_10: Mapping[str, float]
    model_minus_champion: Interval | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True)
class BehaviourFigure:
    """A claim on the model's behaviour, its figure, and the least it must be."""

    name: str
    claim: str
    value: float | None
    least: float
    passed: bool


@dataclass(frozen=True)
class AnswerCost:
    """What an answer costs: milliseconds on one thread, and bytes on disk."""

    median_ms: float
    p95_ms: float
    bytes: int


@dataclass(frozen=True)
class GateTerms:
    """What the gate asks of a lead over a baseline.

    split       where: "time", or "loo" where times are made up
    alpha       how likely it may be by chance alone; its part of the budget of many nights
    least_lead  what it must be more than: so far apart are `linear_counts` tuned from other starts
    """

    split: str
    alpha: float
    least_lead: float


@dataclass(frozen=True)
class Memorization:
    """How much better learned events are foretold than held-out ones, in NDCG@10.

    Each beside counts that have seen neither: the ``model``, and ``counting``, which has certainly
    learned the one and not the other; ``error`` is the standard error of the latter. ``least`` is
    what a model that has not seen the held-out ones has memorized at least.
    """

    model: float
    counting: float
    error: float
    least: float


@dataclass(frozen=True)
class HistoryFigures:
    """What in the events themselves may make figures mean less than they seem to.

    tied_share     of the events, those at the same moment as another of their person
    largest_share  of the events, those of the person with most
    """

    tied_share: float
    largest_share: float


Quality = Mapping[str, RecommenderFigures]
"""Figures by recommender, of one split."""
Slices = Mapping[str, Mapping[str, SliceFigures]]
"""Groups of targets by what divides them."""


@dataclass(frozen=True)
class Comparison:
    """Recommenders that were asked the same questions, on both splits.

    time, loo    figures by recommender
    model_minus  by split, the model's lead over each other
    slices       by split, NDCG@10 of groups of targets
    calibration  by split, of the model's scores
    histories    of what all were asked about
    """

    model_minus: Mapping[str, Mapping[str, Lead]]
    slices: Mapping[str, Slices]
    calibration: Mapping[str, Calibration]
    time: Quality
    loo: Quality
    histories: HistoryFigures

    @property
    def quality(self) -> Mapping[str, Quality]:
        """Figures by split and recommender."""
        return {TIME: self.time, LOO: self.loo}


@dataclass(frozen=True)
class Evaluation(Comparison):
    """A comparison, what else the gate asks of the model, and what speaks against it."""

    terms: GateTerms
    best_baseline: str
    memorization: Memorization | None
    behaviours: list[BehaviourFigure]
    cost: AnswerCost
    refusals: list[str]
    passes: bool

    @classmethod
    def read(cls, folder: ModelFolder) -> "Evaluation":
        """Read how the model in *folder* was judged.

        Raises:
            EvaluationError: it was not, or by an earlier version that asked less.
        """
        again = "Evaluate again: tastemate evaluate"
        if not folder.evaluation.exists():
            raise EvaluationError(f"{folder.evaluation}: there is no evaluation yet. {again}")
        try:
            return read_json(folder.evaluation, cls)
        except JsonTypeError as error:
            raise EvaluationError(
                f"{error} An earlier version wrote it, and it does not say all that is asked now. "
                f"{again}"
            ) from error
