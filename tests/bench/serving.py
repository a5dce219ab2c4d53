"""What an answer costs in each form that the network can be served in, and how good it is.

python -m tests.bench.serving [DATASET ...]

All forms are asked the same questions by turns, in one process and on one thread, so that a machine
that stands still at times does so for all of them alike. Beside the time by the clock stands that
of the thread itself, which others' work does not lengthen.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models_ml.data.split import split
from models_ml.data.tokens import History
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.evaluation.ranking import ask, categories_and_districts, history_before
from models_ml.evaluation.report import TIME
from models_ml.metrics import bootstrap_mean, gains
from models_ml.recommender import NetworkModel
from serving.bento import EAGER as INSTALLED_EAGER
from serving.bento import EXPORTED as INSTALLED_EXPORTED
from serving.bento import INSTALLED, requirements
from serving.export import BOUND
from tests.bench.figures import Figure, publish
from tests.bench.quality_goals import SPLIT
from tests.bench.quality_runs import Study
from tests.bench.serving_forms import EAGER_WAS, INT8, INT8_TABLES, ONNX, Form, forms_of

SIZES = {"200 events": (1, 200, 120), "20 events": (1, 20, 120), "64 of 200": (64, 200, 12)}
"""People, events of each, repetitions."""
TARGETS, COMPARED, TOP = 2000, 200, 20
LOSS = 0.002
WITH_COUNTS = f"{ONNX}, and counts"
console = Console(highlight=False, width=160)


@dataclass
class Told:
    """All figures of one form of one model, by name: value and unit."""

    values: dict[str, tuple[float, str]] = field(default_factory=dict)


def main() -> None:
    """Measure and write `.bench/serving.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="*", default=list(SPLIT))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    figures = _weights()
    for dataset in arguments.datasets:
        with tempfile.TemporaryDirectory(prefix="tastemate-serving-") as folder:
            model = Study(dataset).runs()[0].folder
            forms = forms_of(model, Path(folder))
            told = _measure(dataset, forms)
        _print(dataset, told)
        figures += _figures(dataset, told)
    publish("serving", figures)


def _measure(dataset: str, forms: list[Form]) -> dict[str, Told]:
    data = read_training_set(Study(dataset).training_set)
    models = {form.name: form.open(form.folder) for form in forms}
    # Alone, for the counts beside the network are the same for all; what they add is timed apart.
    opened = {name: model.alone() for name, model in models.items()}
    timed = opened | {WITH_COUNTS: models[ONNX]}
    told = {name: Told() for name in timed}
    for size, (people, events, times) in SIZES.items():
        asked = _people(opened[EAGER_WAS], people, events)
        for name, (clock, own) in _alternate(timed, asked, times).items():
            for share in (50, 95, 99):
                told[name].values[f"{size}, p{share}"] = np.percentile(clock, share), "ms"
            told[name].values[f"{size}, own time, median"] = np.median(own), "ms"
        console.print(f"{dataset}: {size} timed")
    for form in forms:
        told[form.name].values |= {"network on disk": (form.bytes, "bytes")} | _loaded(form)
    _compare(dataset, data, opened, told)
    return told


def _people(recommender: NetworkModel, people: int, events: int) -> list[History]:
    names = recommender.places.place_ids
    random = np.random.default_rng(0)
    return [
        History(
            [names[row] for row in random.integers(0, len(names), events)],
            ["visit"] * events,
            [nth * 3_600_000_000 for nth in range(events)],
            [-1.0] * events,
        )
        for _ in range(people)
    ]


Times = tuple[list[float], list[float]]
"""Milliseconds by the clock, and of the thread alone."""


def _alternate(
    opened: dict[str, NetworkModel], asked: list[History], times: int
) -> dict[str, Times]:
    taken: dict[str, Times] = {name: ([], []) for name in opened}
    warm_up, random = 3, np.random.default_rng(0)
    for nth in range(warm_up + times):
        # In another order each time: a form finds the caches as the one before has left them.
        for name in random.permutation(list(opened)).tolist():
            recommender = opened[name]
            clock, own = time.perf_counter(), time.thread_time()
            recommender.score(asked)
            own, clock = time.thread_time() - own, time.perf_counter() - clock
            if nth >= warm_up:
                taken[name][0].append(clock * 1000)
                taken[name][1].append(own * 1000)
    return taken


LOADING = """
import resource, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
before, began, own = rss(), time.perf_counter(), time.process_time()
if sys.argv[2] == "exported":
    from serving.onnx_model import open_recommender as load
else:
    from models_ml.loading import load
from models_ml.data.tokens import History
recommender = load(Path(sys.argv[1]))
names, count = recommender.places.place_ids[:200], 200
recommender.score([History(names, ["visit"] * count, [0] * count, [-1.0] * count)])
print(time.perf_counter() - began, time.process_time() - own, rss() - before)
"""


def _loaded(form: Form) -> dict[str, tuple[float, str]]:
    """Load it in a process of its own and ask once: seconds, and memory that came with it."""
    kinds = {"torch": "eager", ONNX: "exported"}
    if form.name not in kinds:
        return {}  # the others load as one of the two does
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(form.folder.path), kinds[form.name], root],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    clock, own, memory = map(float, done.stdout.split())
    return {
        "imported, loaded, first answer": (clock, "s"),
        "the same, own time": (own, "s"),
        "memory after it": (memory / 2**20, "MiB"),
    }


def _compare(
    dataset: str, data: TrainingSet, opened: dict[str, NetworkModel], told: dict[str, Told]
) -> None:
    """Ask all for the same held-out events; the first form is what the others are beside."""
    parts = split(data)
    targets = parts.time_targets if SPLIT[dataset] == TIME else parts.loo_targets
    chosen = np.random.default_rng(0).permutation(targets)[:TARGETS]
    chosen.sort()
    histories = _histories(data, chosen[:: max(1, len(chosen) // COMPARED)])
    base_scores = opened[EAGER_WAS].score(histories)
    base_gains = gains(ask(opened[EAGER_WAS], data, chosen).ranks)
    told[EAGER_WAS].values["NDCG@10"] = float(base_gains.mean()), ""
    for name in [name for name in opened if name != EAGER_WAS]:
        values = told[name].values
        values |= _likeness(base_scores, opened[name].score(histories))
        found = gains(ask(opened[name], data, chosen).ranks)
        lead = bootstrap_mean(found - base_gains, data.event_users[chosen])
        values["NDCG@10"] = float(found.mean()), ""
        values["NDCG@10 less torch's"] = float((found - base_gains).mean()), ""
        values["NDCG@10 less torch's, low"] = lead.low, ""
        values["NDCG@10 less torch's, high"] = lead.high, ""
        console.print(f"{dataset}: {name} compared on {len(chosen)} targets")


def _histories(data: TrainingSet, events: NDArray[np.int64]) -> list[History]:
    known = categories_and_districts(data)
    begins = data.offsets[data.event_users[events]]
    return [
        history_before(data, int(event), int(begin), known)
        for event, begin in zip(events, begins, strict=True)
    ]


def _likeness(
    ours: NDArray[np.float32], theirs: NDArray[np.float32]
) -> dict[str, tuple[float, str]]:
    tops, others = (
        np.argsort(-scores, axis=1, kind="stable")[:, :TOP] for scores in (ours, theirs)
    )
    shared = [len(np.intersect1d(*pair)) / TOP for pair in zip(tops, others, strict=True)]
    return {
        "largest difference of a log-score": (float(np.abs(ours - theirs).max()), ""),
        "of the first 20, the same": (float(np.mean(shared)), ""),
        "first 20 in the same order": (float((tops == others).all(axis=1).mean()), "of people"),
    }


def _figures(dataset: str, told: dict[str, Told]) -> list[Figure]:
    figures = [
        _figure(f"{dataset}, {form}: {name}", value, unit, form, name)
        for form, found in told.items()
        for name, (value, unit) in found.values.items()
    ]
    for size in SIZES:
        for name in (f"{size}, p50", f"{size}, p95", f"{size}, own time, median"):
            for form in ("torch", ONNX):
                ratio = told[EAGER_WAS].values[name][0] / told[form].values[name][0]
                figures.append(
                    Figure(f"{dataset}, {EAGER_WAS} / {form}: {name}", ratio, "times", None,
                           "higher", "goal")
                )  # fmt: skip
    return figures


def _figure(whole: str, value: float, unit: str, form: str, name: str) -> Figure:
    goal: float | None = None
    better: Literal["higher", "lower"] = "lower"
    level: Literal["must", "goal"] = "goal"
    if name.startswith(("largest", "imported", "the same,", "memory", "network")):
        if name.startswith("largest") and form in {"torch", ONNX}:
            goal, level = BOUND, "must"
    elif unit != "ms":
        better = "higher"
        if name.endswith("low"):
            goal, level = -LOSS, "goal" if form in {INT8, INT8_TABLES} else "must"
    return Figure(whole, float(value), unit, goal, better, level)


def _weights() -> list[Figure]:
    """Add up what a bento installs, with the exported network and without."""
    sizes = {
        name: sum(map(_installed, requirements(INSTALLED + more)))
        for name, more in (("exported", INSTALLED_EXPORTED), ("eager", INSTALLED_EAGER))
    }
    return [
        Figure(f"a bento's packages, {name}", size / 2**20, "MiB", None, "lower", "goal")
        for name, size in sizes.items()
    ]


def _installed(pin: str) -> int:
    paths = [Path(str(file.locate())) for file in metadata.files(pin.partition("==")[0]) or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _print(dataset: str, told: dict[str, Told]) -> None:
    names = list(dict.fromkeys(name for found in told.values() for name in found.values))
    table = Table(dataset, *told, title=dataset)
    for name in names:
        row = [found.values.get(name) for found in told.values()]
        table.add_row(name, *("" if one is None else f"{one[0]:.5g}" for one in row))
    console.print(table)


if __name__ == "__main__":
    main()
