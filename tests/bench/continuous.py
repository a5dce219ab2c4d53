"""What going on from the last weights costs and keeps, beside training from scratch and not at all.

python -m tests.bench.continuous [--preset NAME] [--cuts 60 70 80 90]

New York as it was known when so many hundredths of its events had happened. At each such moment the
model is trained from scratch, and from the second on also from the weights of the moment before;
both, and the first model of all, which is not trained again, are asked for the next tenth of all
events, which none of them has learned. Stopped, it goes on where it was.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
from rich.console import Console

from models_ml.data.split import split
from models_ml.data.training_set import Manifest, TrainingSetFolder, read_training_set
from models_ml.evaluation.ranking import ask
from models_ml.loading import load
from models_ml.metrics import bootstrap_mean, gains, paired_p_values
from models_ml.model_folder import ModelFolder
from models_ml.train import TrainingReport, train
from models_ml.training.record import Epoch, TrainingRecord
from models_ml.typed_json import json_text
from orchestration.model.retraining.figures import Figures, compare
from tests.bench.figures import FOLDER, Figure, publish
from tests.bench.quality_runs import Study

CUTS = (60, 70, 80, 90)
STRETCH = 10
WORK = FOLDER / "continuous"
LISTS = ("place_ids", "event_kinds", "event_ats", "event_ratings", "event_ids")
console = Console(highlight=False, width=120)


@dataclass(frozen=True)
class Moment:
    """What was known at a moment, and the same with the next tenth of events."""

    share: int
    known: Path
    asked: Path


def main() -> None:
    """Train, ask, print, and write `.bench/continuous.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="base")
    parser.add_argument("--cuts", type=int, nargs="+", default=list(CUTS), metavar="PERCENT")
    arguments = parser.parse_args()
    moments = _moments(arguments.cuts)
    figures = []
    first = last = _trained(moments[0], arguments.preset, None)
    for before, moment in pairwise(moments):
        scratch = _trained(moment, arguments.preset, None)
        warm = _trained(moment, arguments.preset, last.folder)
        called = _called_for(before, moment, last.folder)
        last = warm
        figures += _cost(moment, scratch.record, warm.record) + _kept(moment, scratch, warm, first)
        figures += [
            Figure(f"{moment.share} %, {name}", value, "", None, "lower", "goal")
            for name, value in (
                ("new events since the moment before", called.new_events),
                ("drift since, the furthest", max(called.drift.values())),
                ("of the new events at unknown places", called.unknown_places),
            )
        ]
    publish("continuous", figures)


def _cost(moment: Moment, scratch: TrainingRecord, warm: TrainingRecord) -> list[Figure]:
    told = {"from scratch": scratch, "warm": warm}
    figures = []
    for unit, value in (
        ("s", lambda record: record.seconds),
        ("epochs", lambda record: record.epochs),
        ("events learned", lambda record: record.events_per_second * record.seconds),
    ):
        values = {name: float(value(record)) for name, record in told.items()}
        figures += [
            Figure(f"{moment.share} %, {name}", found, unit, None, "lower", "goal")
            for name, found in values.items()
        ]
        ratio = values["warm"] / values["from scratch"]
        figures.append(
            Figure(
                f"{moment.share} %, warm / from scratch, {unit}",
                ratio,
                "times",
                None,
                "lower",
                "goal",
            )
        )
    return figures


def _kept(
    moment: Moment, scratch: TrainingReport, warm: TrainingReport, first: TrainingReport
) -> list[Figure]:
    """Ask for what came next, and tell how far warm is from the others."""
    data = read_training_set(moment.asked)
    targets = split(data).time_targets
    users = data.event_users[targets]
    found = {
        name: gains(ask(load(report.folder.path), data, targets).ranks)
        for name, report in {
            "warm": warm,
            "from scratch": scratch,
            "not trained again": first,
        }.items()
    }
    named = f"{moment.share} %, NDCG@10 on what came next"
    figures = [
        Figure(
            f"{named}, {name} (n {len(targets)})", float(values.mean()), "", None, "higher", "goal"
        )
        for name, values in found.items()
    ]
    for name in ("from scratch", "not trained again"):
        lead = found["warm"] - found[name]
        interval = bootstrap_mean(lead, users)
        for what, value in (
            ("", float(lead.mean())), ("at least", interval.low), ("at most", interval.high),
        ):  # fmt: skip
            told = f"{named}, warm less {name}{f', {what}' if what else ''}"
            figures.append(Figure(told, value, "", None, "higher", "goal"))
        (chance,) = paired_p_values([lead], users)
        figures.append(Figure(f"{named}, p of warm less {name}", chance, "", None, "lower", "goal"))
    return figures


def _called_for(before: Moment, moment: Moment, model: ModelFolder) -> Figures:
    newest, held = (TrainingSetFolder(one.known).read_manifest() for one in (moment, before))
    age = datetime.fromisoformat(newest.as_of) - datetime.fromisoformat(held.as_of)
    return compare(
        before.known,
        moment.known,
        model,
        cut_at=datetime.fromisoformat(newest.cut_at),
        age_days=age.total_seconds() / 86400,
    )


def _trained(moment: Moment, preset: str, start: ModelFolder | None) -> TrainingReport:
    name = f"{moment.share} %, {'warm' if start else 'from scratch'}"
    kind = f"warm-{start.name}" if start else "scratch"

    def tell(epoch: Epoch) -> None:
        console.print(
            f"{name}: epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.3f}  "
            f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}  {epoch.seconds:.0f} s"
        )

    out = WORK / "runs" / f"{preset}-{moment.share}-{kind}"
    before = start.path if start else None
    report = train(moment.known, out, preset, warm_start=before, progress=tell)
    record = report.record
    console.print(
        f"{name}: best epoch {record.best_epoch} of {record.epochs}, validation NDCG@10 "
        f"{record.validation_ndcg_10:.4f}, {record.seconds:.0f} s"
    )
    return report


def _moments(cuts: Sequence[int]) -> list[Moment]:
    """Write what was known when *cuts* hundredths of the events had happened."""
    source = TrainingSetFolder(Study("nyc").training_set)
    manifest = source.read_manifest()
    with duckdb.connect() as db:
        lists = ", ".join(f"unnest({name}) as {name}" for name in LISTS)
        histories = db.read_parquet(str(source.histories))
        histories.project(f"user_id, {lists}").create("events")
        ends = {
            share: _moment_of(db, share / 100) for one in cuts for share in (one, one + STRETCH)
        }
        return [
            Moment(
                share,
                _written(db, manifest, source, ends[share], _moment_of(db, 0.9, ends[share])),
                _written(db, manifest, source, ends[share + STRETCH], ends[share] + 1),
            )
            for share in cuts
        ]


def _moment_of(db: duckdb.DuckDBPyConnection, share: float, until: int = 2**62) -> int:
    found = db.execute(
        "select quantile_disc(event_ats, ?) from events where event_ats <= ?", [share, until]
    ).fetchall()
    return int(found[0][0])


def _written(
    db: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    source: TrainingSetFolder,
    until: int,
    cut_at: int,
) -> Path:
    """Write the events up to *until* as a training set; both moments in microseconds."""
    name = hashlib.sha256(f"{manifest.hash} {until} {cut_at}".encode()).hexdigest()
    folder = TrainingSetFolder(WORK / "sets" / name[:16])
    if folder.manifest.exists():
        return folder.path
    folder.path.mkdir(parents=True, exist_ok=True)
    lists = ", ".join(f"list({one} order by event_ats, md5(event_ids)) as {one}" for one in LISTS)
    db.sql(
        f"select user_id, {lists} from events where event_ats <= {until} "
        "group by user_id order by user_id"
    ).write_parquet(str(folder.histories))
    folder.places.write_bytes(source.places.read_bytes())
    as_of, cut = (
        datetime.fromtimestamp(moment / 1_000_000, UTC).isoformat() for moment in (until, cut_at)
    )
    told = replace(manifest, as_of=as_of, cut_at=cut, hash=name)
    folder.manifest.write_text(json_text(told))
    return folder.path


if __name__ == "__main__":
    main()
