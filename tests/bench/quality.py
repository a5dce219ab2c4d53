"""How good the model is beside every baseline and what others have published.

python -m tests.bench.quality ml-1m|nyc|beauty

Scores the runs that `quality_runs` saved; baselines are fitted here, and tuned on validation.
Writes `.bench/quality-DATASET.json`, and a page with pictures beside it.
"""

import argparse
import json
import statistics
from typing import Any, Literal

from rich.console import Console
from rich.table import Column, Table

from models_ml.baselines import fit_baselines
from models_ml.evaluate import compare
from models_ml.recommender import Recommender, load
from models_ml.training_set import read_training_set
from orchestration.quality_page import Published, quality_page
from tests.bench.figures import FOLDER, Figure, publish
from tests.bench.quality_runs import Run, runs_of, training_set

PUBLISHED = {
    "ml-1m": [
        Published("BERT4Rec", "asash/bert4rec_repro", 0.2821, 0.1516),
        Published("BERT4Rec", "antklen/sasrec-bert4rec-recsys23", 0.2843, 0.1537),
        Published("SASRec", "antklen/sasrec-bert4rec-recsys23", 0.2500, 0.1341),
        Published("gSASRec", "asash/gSASRec-pytorch", 0.3003, 0.1726),
        Published("SASRec+", "antklen/sasrec-bert4rec-recsys23", 0.3152, 0.1821),
        Published("SASRec+ 3000", "antklen/sasrec-bert4rec-recsys23", 0.3159, 0.1857),
        Published("eSASRec, 3,706 items", "blondered/transformer_benchmark", 0.3164, None),
        Published("HSTU, 3,706 items, timestamps", "RecTools tutorial", 0.3226, 0.1880),
        Published("HSTU-large, 3,706 items, timestamps", "RecTools tutorial", 0.3642, 0.2164),
    ],
    "beauty": [
        Published("BERT4Rec", "antklen/sasrec-bert4rec-recsys23", 0.0338, 0.0187),
        Published("SASRec", "antklen/sasrec-bert4rec-recsys23", 0.0246, 0.0126),
        Published("SASRec+", "antklen/sasrec-bert4rec-recsys23", 0.0533, 0.0327),
    ],
    "nyc": [],
}
SPLIT = {"ml-1m": "loo", "beauty": "loo", "nyc": "time"}
_SHOWN = ("hr_1", "hr_10", "ndcg_10", "mrr")


def main() -> None:
    """Compare, print, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=sorted(PUBLISHED))
    dataset = parser.parse_args().dataset
    console = Console(highlight=False, width=130)
    data = read_training_set(training_set(dataset))
    runs = [run for run in runs_of(dataset) if (run.folder / "config.json").exists()]
    if not any(run.name == "model" for run in runs):
        raise SystemExit(f"no model is trained: make train-quality DATASET={dataset}")
    recommenders: dict[str, Recommender] = {run.name: load(run.folder) for run in runs}
    recommenders |= {baseline.name: baseline for baseline in fit_baselines(data)}
    # All of them, as those who published did.
    report = compare(recommenders, data, console.print, most_targets=len(data.places))
    trainings = {run.name: _training(run) for run in runs}
    title = f"Quality on {dataset}"
    notes = [_told(name, training) for name, training in trainings.items()]
    FOLDER.mkdir(exist_ok=True)
    page = FOLDER / f"quality-{dataset}.html"
    page.write_text(
        quality_page(title, report, trainings, published=PUBLISHED[dataset], notes=notes)
    )
    (FOLDER / f"quality-{dataset}-report.json").write_text(json.dumps(report, indent=2) + "\n")
    for split in ("time", "loo"):
        if report[split]["model"]["n"]:
            console.print(_table(report, split, dataset))
    publish(f"quality-{dataset}", _figures(report, dataset, trainings))
    console.print(f"with pictures: {page}")


def _training(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run.folder / "training.json").read_text())
    return told


def _told(name: str, training: dict[str, Any]) -> str:
    return (
        f"{name}: preset {training['identity']['preset']}, seed {training['identity']['seed']}, "
        f"{training['parameters']:,} weights, best of {training['epochs']} epochs was "
        f"{training['best_epoch']}, {training['seconds'] / 60:.1f} minutes on {training['device']}"
    )


def _table(report: dict[str, Any], split: str, dataset: str) -> Table:
    table = Table(
        Column(no_wrap=True),
        "HR@1",
        "HR@10",
        "NDCG@10",
        "interval",
        "MRR",
        "p",
        title=f"{dataset}, {split}",
    )
    rows = sorted(report[split].items(), key=lambda entry: -entry[1]["ndcg_10"])
    for name, told in rows:
        interval = told["ndcg_10_interval"]
        difference = report["model_minus"][split].get(name)
        table.add_row(
            name,
            f"{told['hr_1']:.4f}",
            f"{told['hr_10']:.4f}",
            f"{told['ndcg_10']:.4f}",
            f"{interval['low']:.4f} to {interval['high']:.4f}",
            f"{told['mrr']:.4f}",
            "" if difference is None else f"{difference['p_value']:.4f}",
        )
    table.add_section()
    for row in PUBLISHED[dataset] if split == "loo" else []:
        ndcg = "" if row.ndcg_10 is None else f"{row.ndcg_10:.4f}"
        table.add_row(f"{row.name} ({row.source})", "", f"{row.hr_10:.4f}", ndcg, "", "", "")
    return table


def _figures(
    report: dict[str, Any], dataset: str, trainings: dict[str, dict[str, Any]]
) -> list[Figure]:
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
    return figures + [
        Figure(f"{shown} {one}, {name}", told[shown], "", None, "higher", "goal")
        for one in ("time", "loo")
        if report[one]["model"]["n"]
        for name, told in report[one].items()
        for shown in _SHOWN
    ]


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
    best_on_new = max(
        told["new_places"]["hr_10"]
        for name, told in quality.items()
        if not name.startswith("model")
    )
    on_new = ours["new_places"]["hr_10"] / max(1e-9, best_on_new)
    return [
        Figure("Acc@1", ours["hr_1"], "", 0.28, "higher", "goal"),
        Figure("MRR", ours["mrr"], "", 0.42, "higher", "goal"),
        Figure("HR@10 on new places / best baseline", on_new, "times", 2.0, "higher", "goal"),
    ]


if __name__ == "__main__":
    main()
