"""How good the model is beside every baseline and what others have published.

python -m tests.bench.quality ml-1m|nyc|beauty [--small]

Scores the runs that `quality_runs` saved; baselines are fitted here, and tuned on validation.
Writes `.bench/quality-DATASET.json`, and a page with pictures beside it; with `--small` to
`.bench/small`.
"""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from models_ml.baselines.fit import fit_baselines
from models_ml.data.training_set import read_training_set
from models_ml.evaluation.comparison import compare
from models_ml.evaluation.report import LOO, MODEL, NETWORK, Comparison, Quality
from models_ml.loading import load
from models_ml.recommender import NetworkModel, Recommender
from models_ml.training.record import TrainingRecord
from models_ml.typed_json import json_text
from orchestration.model.store import record_of
from orchestration.release.model_card import Published, quality_page
from tests.bench.figures import publish
from tests.bench.quality_goals import NEW_PLACES, all_told, quality_figures
from tests.bench.quality_runs import Study, study_parser

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
    runs = [run for run in study.runs() if run.folder.is_finished]
    if not any(run.name == MODEL for run in runs):
        command = f"python -m tests.bench.quality_runs {study.dataset}"
        raise SystemExit(f"no model is trained: {command}{' --small' if study.small else ''}")
    data = read_training_set(study.training_set)
    recommenders = _with_and_without_counts({run.name: load(run.folder.path) for run in runs})
    recommenders |= {baseline.name: baseline for baseline in fit_baselines(data)}
    # All of them, as those who published did.
    compared = compare(recommenders, data, console.print, most_targets=len(data.places))
    trainings = {run.name: record_of(run.folder) for run in runs}
    for split, quality in compared.quality.items():
        if quality[MODEL].n:
            console.print(_table(compared, split, study))
        if quality[MODEL].returns.n:
            console.print(_new_places_table(quality, f"{study.dataset}, {split}"))
    publish(
        f"quality-{study.dataset}",
        quality_figures(compared, study.dataset, trainings),
        study.figures,
        told=all_told(compared),
    )
    console.print(f"with pictures: {_write_page(compared, trainings, study)}")


def _with_and_without_counts(models: dict[str, Recommender]) -> dict[str, Recommender]:
    """Let each model stand by its network alone, too."""
    both = dict(models)
    for name, model in models.items():
        if isinstance(model, NetworkModel) and model.mixture:
            both[name.replace(MODEL, NETWORK, 1)] = model.alone()
    return both


def _write_page(
    compared: Comparison, trainings: Mapping[str, TrainingRecord], study: Study
) -> Path:
    study.figures.mkdir(parents=True, exist_ok=True)
    page = study.figures / f"quality-{study.dataset}.html"
    notes = [_told(name, training) for name, training in trainings.items()]
    page.write_text(
        quality_page(
            f"Quality on {study.name}",
            compared,
            trainings,
            published=_published(study),
            notes=notes,
        )
    )
    told = study.figures / f"quality-{study.dataset}-report.json"
    told.write_text(json_text(compared))
    return page


def _published(study: Study) -> list[Published]:
    """List what others measured; of some of the people nobody did."""
    return [] if study.small else PUBLISHED[study.dataset]


def _told(name: str, training: TrainingRecord) -> str:
    on, counts, run = training.device, training.counts, training.identity
    on += f", counts weigh {counts['weight']:g}" if counts else ""
    return (
        f"{name}: preset {run.preset}, seed {run.seed}, {training.parameters:,} weights, best of "
        f"{training.epochs} epochs was {training.best_epoch}, {training.seconds / 60:.1f} minutes "
        f"on {on}"
    )


def _table(compared: Comparison, split: str, study: Study) -> Table:
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
    quality, leads = compared.quality[split], compared.model_minus[split]
    for name, told in sorted(quality.items(), key=lambda entry: -entry[1].ndcg_10):
        interval, lead = told.ndcg_10_interval, leads.get(name)
        table.add_row(
            name,
            f"{told.hr_1:.4f}",
            f"{told.hr_10:.4f}",
            f"{told.ndcg_10:.4f}",
            f"{interval.low:.4f} to {interval.high:.4f}",
            f"{told.mrr:.4f}",
            "" if lead is None else f"{lead.p_value:.4f}",
        )
    table.add_section()
    for row in _published(study) if split == LOO else []:
        ndcg = "" if row.ndcg_10 is None else f"{row.ndcg_10:.4f}"
        table.add_row(f"{row.name} ({row.source})", "", f"{row.hr_10:.4f}", ndcg, "", "", "")
    return table


def _new_places_table(quality: Quality, where: str) -> Table:
    table = Table("", title=f"{where}: targets new to the person, among all and unvisited places")
    for what in NEW_PLACES:
        table.add_column(f"HR@10, {what}")
        table.add_column("NDCG@10")
    for name, told in sorted(quality.items(), key=lambda row: -row[1].new_among_unvisited.hr_10):
        parts = [part_of(told) for part_of in NEW_PLACES.values()]
        values = [value for part in parts for value in (part.hr_10, part.ndcg_10)]
        table.add_row(name, *(f"{value:.4f}" for value in values))
    return table


if __name__ == "__main__":
    main()
