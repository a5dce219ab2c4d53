"""How good the model is beside every baseline and what others have published.

python -m tests.bench.quality ml-1m|nyc|beauty [--small]

Scores the runs that `quality_runs` saved; baselines are fitted here, and tuned on validation.
Writes `.bench/quality-DATASET.json`, and a page with pictures beside it; with `--small` to
`.bench/small`.
"""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from models_ml.baselines.fit import fit_baselines
from models_ml.data.training_set import read_training_set
from models_ml.evaluate import compare
from models_ml.evaluation.gate import MODEL, NETWORK
from models_ml.loading import load
from models_ml.recommender import NetworkModel, Recommender
from orchestration.release.model_card import Published, quality_page
from tests.bench.figures import publish
from tests.bench.quality_goals import NEW_PLACES, all_told, quality_figures
from tests.bench.quality_runs import Run, Study, study_parser

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


def main() -> None:
    """Compare, print, and write figures and page."""
    arguments = study_parser(__doc__).parse_args()
    study = Study(arguments.dataset, arguments.small)
    console = Console(highlight=False, width=130)
    runs = [run for run in study.runs() if (run.folder / "config.json").exists()]
    if not any(run.name == "model" for run in runs):
        command = f"python -m tests.bench.quality_runs {study.dataset}"
        raise SystemExit(f"no model is trained: {command}{' --small' if study.small else ''}")
    data = read_training_set(study.training_set)
    recommenders = _with_and_without_counts({run.name: load(run.folder) for run in runs})
    recommenders |= {baseline.name: baseline for baseline in fit_baselines(data)}
    # All of them, as those who published did.
    report = compare(recommenders, data, console.print, most_targets=len(data.places))
    trainings = {run.name: _training(run) for run in runs}
    for split in ("time", "loo"):
        if report[split]["model"]["n"]:
            console.print(_table(report, split, study))
        if report[split]["model"]["returns"]["n"]:
            console.print(_new_places_table(report[split], f"{study.dataset}, {split}"))
    publish(
        f"quality-{study.dataset}",
        quality_figures(report, study.dataset, trainings),
        study.figures,
        told=all_told(report),
    )
    console.print(f"with pictures: {_write_page(report, trainings, study)}")


def _with_and_without_counts(models: dict[str, Recommender]) -> dict[str, Recommender]:
    """Let each model stand by its network alone, too."""
    both = dict(models)
    for name, model in models.items():
        if isinstance(model, NetworkModel) and model.mixture:
            both[name.replace(MODEL, NETWORK, 1)] = model.alone()
    return both


def _write_page(report: dict[str, Any], trainings: dict[str, dict[str, Any]], study: Study) -> Path:
    study.figures.mkdir(parents=True, exist_ok=True)
    page = study.figures / f"quality-{study.dataset}.html"
    notes = [_told(name, training) for name, training in trainings.items()]
    page.write_text(
        quality_page(
            f"Quality on {study.name}", report, trainings, published=_published(study), notes=notes
        )
    )
    told = study.figures / f"quality-{study.dataset}-report.json"
    told.write_text(json.dumps(report, indent=2) + "\n")
    return page


def _published(study: Study) -> list[Published]:
    """List what others measured; of some of the people nobody did."""
    return [] if study.small else PUBLISHED[study.dataset]


def _training(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((run.folder / "training.json").read_text())
    return told


def _told(name: str, training: dict[str, Any]) -> str:
    on, counts = training["device"], training["counts"]
    on += f", counts weigh {counts['weight']:g}" if counts else ""
    return (
        f"{name}: preset {training['identity']['preset']}, seed {training['identity']['seed']}, "
        f"{training['parameters']:,} weights, best of {training['epochs']} epochs was "
        f"{training['best_epoch']}, {training['seconds'] / 60:.1f} minutes on {on}"
    )


def _table(report: dict[str, Any], split: str, study: Study) -> Table:
    table = Table(
        Column(no_wrap=True),
        "HR@1",
        "HR@10",
        "NDCG@10",
        "interval",
        "MRR",
        "p",
        title=f"{study.name}, {split}",
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
    for row in _published(study) if split == "loo" else []:
        ndcg = "" if row.ndcg_10 is None else f"{row.ndcg_10:.4f}"
        table.add_row(f"{row.name} ({row.source})", "", f"{row.hr_10:.4f}", ndcg, "", "", "")
    return table


def _new_places_table(quality: dict[str, Any], where: str) -> Table:
    table = Table("", title=f"{where}: targets new to the person, among all and unvisited places")
    for told in NEW_PLACES.values():
        table.add_column(f"HR@10, {told}")
        table.add_column("NDCG@10")
    rows = sorted(quality.items(), key=lambda entry: -entry[1]["new_among_unvisited"]["hr_10"])
    for name, told in rows:
        values = [told[part][shown] for part in NEW_PLACES for shown in ("hr_10", "ndcg_10")]
        table.add_row(name, *(f"{value:.4f}" for value in values))
    return table


if __name__ == "__main__":
    main()
