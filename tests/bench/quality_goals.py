"""What `bench-quality` reports as figures, and the goals of each data set."""

import statistics
from collections.abc import Callable, Mapping
from typing import Literal

from models_ml.evaluation.report import (
    LOO,
    MODEL,
    NETWORK,
    TIME,
    Comparison,
    Quality,
    RecommenderFigures,
)
from models_ml.figures import RankFigures
from models_ml.training.record import TrainingRecord
from orchestration.model.charts import is_ours
from tests.bench.figures import Figure

SPLIT = {"ml-1m": LOO, "beauty": LOO, "nyc": TIME}
NEW_PLACES: dict[str, Callable[[RecommenderFigures], RankFigures]] = {
    "new places": lambda told: told.new_places,
    "new places among unvisited ones": lambda told: told.new_among_unvisited,
}
"""Where a target is new to the person, by what it ranks among."""
_SHOWN = ("hr_1", "hr_10", "ndcg_10", "mrr")


def quality_figures(
    compared: Comparison, dataset: str, trainings: Mapping[str, TrainingRecord]
) -> list[Figure]:
    """List the figures of what was *compared* on *dataset*.

    trainings  by the name of the run
    """
    split = SPLIT[dataset]
    quality = compared.quality[split]
    others = {name: told for name, told in quality.items() if not is_ours(name)}
    best = max(others, key=lambda name: others[name].ndcg_10)
    lead = compared.model_minus[split][best]
    named = f"NDCG@10 {split}"
    asked: Literal["must", "goal"] = "goal" if dataset == "beauty" else "must"
    figures = [
        Figure(f"{named}, model less {best}", lead.ndcg_10, "", 1e-9, "higher", asked),
        Figure(f"p of the model's lead over {best}", lead.p_value, "", 0.05, "lower", "goal"),
        *_of_all_seeds(MODEL, named, quality),
        *_of_all_seeds(NETWORK, f"{named} of the network alone", quality),
        Figure("training of the model", trainings[MODEL].seconds / 60, "minutes", None,
               "lower", "goal"),
    ]  # fmt: skip
    figures += {
        "ml-1m": _movielens_goals, "beauty": _beauty_goals, "nyc": _new_york_goals,
    }[dataset](quality)  # fmt: skip
    return figures


def _of_all_seeds(name: str, named: str, quality: Quality) -> list[Figure]:
    """List mean and spread over the seeds of what is called *name*, if it was asked at all."""
    seeds = [
        told.ndcg_10
        for who, told in quality.items()
        if who == name or who.startswith(f"{name}, seed")
    ]
    if not seeds:
        return []
    spread = statistics.stdev(seeds) if len(seeds) > 1 else 0.0
    return [
        Figure(f"{named}, mean of seeds", statistics.mean(seeds), "", None, "higher", "goal"),
        Figure(f"{named}, spread of seeds", spread, "", None, "lower", "goal"),
        Figure(f"{named}, seeds", len(seeds), "", 3, "higher", "must"),
    ]


def all_told(compared: Comparison) -> list[Figure]:
    """List what is measured of each recommender, on each split that has targets."""
    figures = []
    for split, quality in compared.quality.items():
        for name, told in quality.items() if quality[MODEL].n else ():
            values = {shown: getattr(told, shown) for shown in _SHOWN}
            if told.returns.n:
                values |= {
                    f"hr_10 on {what}": part_of(told).hr_10 for what, part_of in NEW_PLACES.items()
                }
            figures += [
                Figure(f"{shown} {split}, {name}", value, "", None, "higher", "goal")
                for shown, value in values.items()
            ]
    return figures


def _movielens_goals(quality: Quality) -> list[Figure]:
    """List what is asked; of the network alone where counts answer beside it."""
    least = quality.get(NETWORK, quality[MODEL]).ndcg_10
    asked = []
    for form in ("", ", 8 layers"):
        if ours := quality.get(MODEL + form):
            alone = quality.get(NETWORK + form, ours)
            asked += [(alone, f"without counts{form}"), (ours, f"as it answers{form}")]
    return [
        Figure("NDCG@10 without counts, the least", least, "", 0.178, "higher", "must"),
        *(
            figure
            for told, said in asked
            for figure in (
                Figure(f"NDCG@10 {said}, SASRec+ 3000", told.ndcg_10, "", 0.186, "higher",
                       "goal"),
                Figure(f"NDCG@10 {said}, HSTU", told.ndcg_10, "", 0.188, "higher", "goal"),
                Figure(f"NDCG@10 {said}, HSTU-large", told.ndcg_10, "", 0.217, "higher", "goal"),
                Figure(f"HR@10 {said}, HSTU-large", told.hr_10, "", 0.365, "higher", "goal"),
            )
        ),
    ]  # fmt: skip


def _beauty_goals(quality: Quality) -> list[Figure]:
    alone = quality.get(NETWORK, quality[MODEL])
    return [
        Figure("NDCG@10 as it answers", quality[MODEL].ndcg_10, "", 0.037, "higher", "goal"),
        Figure("NDCG@10 without counts", alone.ndcg_10, "", 0.037, "higher", "goal"),
    ]


def _new_york_goals(quality: Quality) -> list[Figure]:
    ours = quality[MODEL]
    return [
        Figure("Acc@1", ours.hr_1, "", 0.28, "higher", "goal"),
        Figure("MRR", ours.mrr, "", 0.42, "higher", "goal"),
        *(
            Figure(f"HR@10 on {what} / best baseline", _lead(quality, part_of), "times", 2.0,
                   "higher", "goal")
            for what, part_of in NEW_PLACES.items()
        ),
    ]  # fmt: skip


def _lead(quality: Quality, part_of: Callable[[RecommenderFigures], RankFigures]) -> float:
    """How many times the best baseline's HR@10 on a part the model's is; 0 where neither is."""
    best = max(part_of(told).hr_10 for name, told in quality.items() if not is_ours(name))
    return part_of(quality[MODEL]).hr_10 / max(1e-9, best)
