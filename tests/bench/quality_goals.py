"""What `bench-quality` reports as figures, and the goals of each data set."""

import statistics
from typing import Any, Literal

from tests.bench.figures import Figure

SPLIT = {"ml-1m": "loo", "beauty": "loo", "nyc": "time"}
NEW_PLACES = {
    "new_places": "new places",
    "new_among_unvisited": "new places among unvisited ones",
}
_SHOWN = ("hr_1", "hr_10", "ndcg_10", "mrr")


def quality_figures(
    report: dict[str, Any], dataset: str, trainings: dict[str, dict[str, Any]]
) -> list[Figure]:
    """List the figures of a report of `models_ml.evaluate.compare` on *dataset*.

    trainings  ``training.json`` by the name of the run
    """
    split = SPLIT[dataset]
    quality = report[split]
    ours = quality["model"]
    others = {name: told for name, told in quality.items() if not name.startswith("model")}
    best = max(others, key=lambda name: others[name]["ndcg_10"])
    lead = report["model_minus"][split][best]
    seeds = [told["ndcg_10"] for name, told in quality.items() if name.startswith("model, seed")]
    seeds.append(ours["ndcg_10"])
    named = f"NDCG@10 {split}"
    asked: Literal["must", "goal"] = "goal" if dataset == "beauty" else "must"
    spread = statistics.stdev(seeds) if len(seeds) > 1 else 0.0
    figures = [
        Figure(f"{named}, model less {best}", lead["ndcg_10"], "", 1e-9, "higher", asked),
        Figure(f"p of the model's lead over {best}", lead["p_value"], "", 0.05, "lower", "goal"),
        Figure(f"{named}, mean of seeds", statistics.mean(seeds), "", None, "higher", "goal"),
        Figure(f"{named}, spread of seeds", spread, "", None, "lower", "goal"),
        Figure("seeds", len(seeds), "", 3, "higher", "goal"),
        Figure("training of the model", trainings["model"]["seconds"] / 60, "minutes", None,
               "lower", "goal"),
    ]  # fmt: skip
    figures += {
        "ml-1m": _movielens_goals, "beauty": _beauty_goals, "nyc": _new_york_goals,
    }[dataset](quality)  # fmt: skip
    return [*figures, *_all_told(report)]


def _all_told(report: dict[str, Any]) -> list[Figure]:
    """List what is measured of each recommender, on each split that has targets."""
    figures = []
    for split in ("time", "loo"):
        for name, told in report[split].items() if report[split]["model"]["n"] else ():
            values = {shown: told[shown] for shown in _SHOWN}
            if told["returns"]["n"]:
                values |= {
                    f"hr_10 on {NEW_PLACES[part]}": told[part]["hr_10"] for part in NEW_PLACES
                }
            figures += [
                Figure(f"{shown} {split}, {name}", value, "", None, "higher", "goal")
                for shown, value in values.items()
            ]
    return figures


def _movielens_goals(quality: dict[str, Any]) -> list[Figure]:
    ours = quality["model"]
    return [
        Figure("NDCG@10, the least", ours["ndcg_10"], "", 0.178, "higher", "must"),
        Figure("NDCG@10, SASRec+ 3000", ours["ndcg_10"], "", 0.186, "higher", "goal"),
        Figure("NDCG@10, HSTU", ours["ndcg_10"], "", 0.188, "higher", "goal"),
        Figure("NDCG@10, HSTU-large", ours["ndcg_10"], "", 0.217, "higher", "goal"),
        Figure("HR@10, HSTU-large", ours["hr_10"], "", 0.365, "higher", "goal"),
    ]


def _beauty_goals(quality: dict[str, Any]) -> list[Figure]:
    return [Figure("NDCG@10", quality["model"]["ndcg_10"], "", 0.037, "higher", "goal")]


def _new_york_goals(quality: dict[str, Any]) -> list[Figure]:
    ours = quality["model"]
    return [
        Figure("Acc@1", ours["hr_1"], "", 0.28, "higher", "goal"),
        Figure("MRR", ours["mrr"], "", 0.42, "higher", "goal"),
        *(
            Figure(f"HR@10 on {told} / best baseline", _lead(quality, part), "times", 2.0,
                   "higher", "goal")
            for part, told in NEW_PLACES.items()
        ),
    ]  # fmt: skip


def _lead(quality: dict[str, Any], part: str) -> float:
    """How many times the best baseline's HR@10 on *part* the model's is; 0 where neither is."""
    baselines = [told for name, told in quality.items() if not name.startswith("model")]
    best = max(told[part]["hr_10"] for told in baselines)
    return float(quality["model"][part]["hr_10"] / max(1e-9, best))
