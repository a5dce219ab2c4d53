"""Evaluate a model beside the baselines: every place ranked, on both splits.

python -m models_ml.evaluate --data FOLDER --model FOLDER --out FILE

A target is asked with up to 200 events strictly before it. Where people hardly
ever return, all places of their history are left out; a request, which sees
200 events, leaves out those. Ties count against
whoever made them, and a place that is unknown to the vocabulary is a miss.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines import fit_baselines
from models_ml.metrics import bootstrap_mean, gains, summary, worst_ranks
from models_ml.recommender import ModelFolderError, Recommender, load
from models_ml.split import split
from models_ml.tokens import MAX_EVENTS, History
from models_ml.training_set import TrainingSet, TrainingSetError, read_training_set

MOST_TARGETS = 20_000
GATE_SPLIT = "time"
_SEED = 0
_AT_ONCE = 512


def evaluate(
    data: Path, model: Path, out: Path, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Measure *model* and the baselines on *data*; write the report to *out* and return it.

    ``passes`` is true if, on the ``time`` split, the model's NDCG@10 is greater
    than that of every baseline. *progress* is told each figure as soon as it is there.
    """
    training_set = read_training_set(data)
    recommenders: dict[str, Recommender] = {"model": load(model)}
    for baseline in fit_baselines(training_set):
        recommenders[baseline.name] = baseline
    parts = split(training_set)
    report: dict[str, Any] = {}
    ranks: dict[str, dict[str, NDArray[np.int64]]] = {}
    for name, targets in (("time", parts.time_targets), ("loo", parts.loo_targets)):
        asked = _sample(targets)
        ranks[name] = {}
        for who, recommender in recommenders.items():
            ranks[name][who] = ranks_of(recommender, training_set, asked)
            progress(_figures(name, who, summary(ranks[name][who])))
        report[name] = _describe(ranks[name], training_set, asked)
    gate = report[GATE_SPLIT]
    best = max((name for name in gate if name != "model"), key=lambda who: gate[who]["ndcg_10"])
    report["best_baseline"] = best
    report["passes"] = gate["model"]["ndcg_10"] > gate[best]["ndcg_10"]
    report["model_minus_best_baseline"] = {
        name: _difference(ranks[name], training_set, _sample(targets), best)
        for name, targets in (("time", parts.time_targets), ("loo", parts.loo_targets))
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n")
    return report


def ranks_of(
    recommender: Recommender, data: TrainingSet, targets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rank of each target among all places, after its user's history before it."""
    begins = data.offsets[data.event_users[targets]]
    positions = recommender.places.positions
    columns = np.array([positions.get(name, -1) for name in data.catalogue.place_ids], np.int64)
    known = _categories_and_districts(data)
    ranks = np.empty(len(targets), dtype=np.int64)
    lengths = np.minimum(targets - begins, MAX_EVENTS)
    # Of like length together, so that a batch has little to pad.
    order = np.argsort(lengths, kind="stable")
    for first in range(0, len(order), _AT_ONCE):
        rows = order[first : first + _AT_ONCE]
        scores = recommender.score(
            [
                _history_before(data, int(target), int(begins[row]), known)
                for row, target in zip(rows, targets[rows], strict=True)
            ]
        )
        if recommender.excludes_seen:
            for place, row in enumerate(rows):
                seen = columns[data.places[begins[row] : targets[row]]]
                scores[place, seen[seen >= 0]] = -np.inf
        ranks[rows] = worst_ranks(scores, columns[data.places[targets[rows]]])
    return ranks


def _categories_and_districts(data: TrainingSet) -> dict[str, tuple[list[str], str]]:
    catalogue = data.catalogue
    around = zip(catalogue.category_codes, catalogue.district_codes, strict=True)
    return dict(zip(catalogue.place_ids, around, strict=True))


def _history_before(
    data: TrainingSet, event: int, begin: int, places: Mapping[str, tuple[list[str], str]]
) -> History:
    """Return the newest events of one user in ``begin:event``, as a request would bring them."""
    window = slice(max(begin, event - MAX_EVENTS), event)
    names = data.catalogue.place_ids
    return History(
        place_ids=[names[row] for row in data.places[window].tolist()],
        event_kinds=[data.kind_names[kind] for kind in data.kinds[window].tolist()],
        event_ats=data.ats[window].tolist(),
        event_ratings=data.ratings[window].tolist(),
        unknown_places=places,
    )


def _sample(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(targets) <= MOST_TARGETS:
        return targets
    generator = np.random.default_rng(_SEED)
    return np.sort(generator.choice(targets, MOST_TARGETS, replace=False))


def _describe(
    ranks: dict[str, NDArray[np.int64]], data: TrainingSet, targets: NDArray[np.int64]
) -> dict[str, Any]:
    """Sum up each recommender's ranks: all, places new to the user, and returns."""
    is_return = _is_return(data, targets)
    users = data.event_users[targets]
    return {
        who: summary(found)
        | {
            "ndcg_10_interval": asdict(bootstrap_mean(gains(found), users)),
            "new_places": summary(found[~is_return]),
            "returns": summary(found[is_return]),
        }
        for who, found in ranks.items()
    }


def _difference(
    ranks: dict[str, NDArray[np.int64]],
    data: TrainingSet,
    targets: NDArray[np.int64],
    best: str,
) -> dict[str, Any]:
    """Compare on the same targets; the interval tells whether the difference is more than luck."""
    differences = gains(ranks["model"]) - gains(ranks[best])
    interval = bootstrap_mean(differences, data.event_users[targets])
    return {
        "ndcg_10": float(differences.mean()) if len(differences) else 0.0,
        "interval": asdict(interval),
    }


def _is_return(data: TrainingSet, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    begins = data.offsets[data.event_users[targets]]
    return np.array(
        [
            bool((data.places[begin:target] == data.places[target]).any())
            for begin, target in zip(begins, targets, strict=True)
        ],
        dtype=bool,
    )


def _figures(part: str, who: str, found: dict[str, Any]) -> str:
    figures = "  ".join(f"{name} {found[name]:.4f}" for name in ("ndcg_10", "hr_10", "mrr"))
    return f"{part:5}{who:14} {figures}  n {found['n']}"


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own output


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models_ml.evaluate", description=evaluate.__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="a training set folder")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--out", type=Path, help="default: evaluation.json in the model folder")
    arguments = parser.parse_args()
    out = arguments.out or arguments.model / "evaluation.json"
    try:
        evaluate(arguments.data, arguments.model, out, _print)
    except (TrainingSetError, ModelFolderError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
