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
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_ml.baselines.fit import fit_baselines
from models_ml.data.split import known_events, split
from models_ml.data.training_set import TrainingSet, TrainingSetError, read_training_set
from models_ml.evaluation.behaviour import behaviours
from models_ml.evaluation.cost import answer_cost
from models_ml.evaluation.gate import (
    CHAMPION,
    GATE_SPLIT,
    MODEL,
    NETWORK,
    baselines_among,
    refusals,
)
from models_ml.evaluation.list_metrics import describe_lists
from models_ml.evaluation.ranking import Answers, ask, some_people
from models_ml.evaluation.slices import is_return, slices_of
from models_ml.loading import load
from models_ml.metrics import bootstrap_mean, calibration, gains, paired_p_value, summary
from models_ml.model_folder import ModelFolderError
from models_ml.recommender import NetworkModel, Recommender

MOST_TARGETS = 20_000
_SEED = 0


def evaluate(  # noqa: PLR0913 - what is compared, and what is told
    data: Path,
    model: Path,
    out: Path,
    progress: Callable[[str], None] = lambda _: None,
    *,
    champion: Path | None = None,
    served: Recommender | None = None,
) -> dict[str, Any]:
    """Measure *model*, the baselines and the *champion* on *data*; write the report to *out*.

    Where counts answer beside the model's network, ``network`` is the same without them. Returns
    what `compare` does, and ``best_baseline`` on the ``time`` split, ``behaviours`` and
    ``cost`` of the model, ``refusals``, all that speaks against releasing it, and whether it
    ``passes``. *progress* is told each figure as soon as it is there. The cost is that of *served*,
    what a release of the model answers with, where that is not the model as it is loaded here.
    """
    training_set = read_training_set(data)
    judged = load(model)
    recommenders: dict[str, Recommender] = {MODEL: judged}
    if isinstance(judged, NetworkModel) and judged.mixture:
        recommenders[NETWORK] = judged.alone()
    for baseline in fit_baselines(training_set):
        recommenders[baseline.name] = baseline
    if champion:
        recommenders[CHAMPION] = load(champion)
    report = compare(recommenders, training_set, progress)
    gate = report[GATE_SPLIT]
    report["best_baseline"] = max(baselines_among(gate), key=lambda who: gate[who]["ndcg_10"])
    report["behaviours"] = [
        behaviour.as_dict() for behaviour in behaviours(judged, some_people(training_set))
    ]
    report["cost"] = answer_cost(served or judged, model)
    report["refusals"] = refusals(report)
    report["passes"] = not report["refusals"]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n")
    return report


def compare(
    recommenders: dict[str, Recommender],
    data: TrainingSet,
    progress: Callable[[str], None] = lambda _: None,
    *,
    most_targets: int = MOST_TARGETS,
) -> dict[str, Any]:
    """Ask *recommenders*, ``model`` among them, the same questions, and tell how they differ.

    Of more than *most_targets* in a split a sample is asked.

    Returns ``time`` and ``loo``, each with figures by recommender, and by split: ``model_minus``
    with the model's lead over each other, ``slices`` with NDCG@10 by group of targets (and the
    interval of the model's lead over a ``champion``), and ``calibration`` of the model's scores.
    """
    parts = split(data)
    counts = np.bincount(data.places[known_events(data, parts)], minlength=len(data.catalogue))
    report: dict[str, Any] = {"model_minus": {}, "slices": {}, "calibration": {}}
    for part, targets in (("time", parts.time_targets), ("loo", parts.loo_targets)):
        asked = _sample(targets, most_targets)
        answers: dict[str, Answers] = {}
        for who, recommender in recommenders.items():
            answers[who] = ask(recommender, data, asked)
            if len(asked):
                progress(_figures(part, who, summary(answers[who].ranks)))
        report[part] = {
            who: _describe(found, data, asked, counts) for who, found in answers.items()
        }
        ours = answers[MODEL]
        report["model_minus"][part] = {
            who: _difference(ours, found, data.event_users[asked])
            for who, found in answers.items()
            if who != MODEL
        }
        report["slices"][part] = _by_slice(answers, data, asked, counts)
        report["calibration"][part] = calibration(ours.confidences, ours.ranks == 1)
    return report


def _sample(targets: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    if len(targets) <= most:
        return targets
    generator = np.random.default_rng(_SEED)
    return np.sort(generator.choice(targets, most, replace=False))


def _describe(
    found: Answers, data: TrainingSet, targets: NDArray[np.int64], counts: NDArray[np.int64]
) -> dict[str, Any]:
    """Sum up ranks and lists: of all targets, of places new to the person, of returns.

    ``new_places`` rank among all places, ``new_among_unvisited`` are the same targets ranked among
    those where the person had not been.
    """
    returns = is_return(data, targets)
    interval = bootstrap_mean(gains(found.ranks), data.event_users[targets])
    return {
        **summary(found.ranks),
        "ndcg_10_interval": asdict(interval),
        "new_places": summary(found.ranks[~returns]),
        "new_among_unvisited": summary(found.unvisited_ranks[~returns]),
        "returns": summary(found.ranks[returns]),
        "lists": describe_lists(found.tops, data.places[targets], data.catalogue, counts),
    }


def _difference(ours: Answers, theirs: Answers, users: NDArray[np.int64]) -> dict[str, Any]:
    """Compare on the same targets; the interval tells whether the difference is more than luck."""
    differences = gains(ours.ranks) - gains(theirs.ranks)
    return {
        "ndcg_10": float(differences.mean()) if len(differences) else 0.0,
        "interval": asdict(bootstrap_mean(differences, users)),
        "p_value": paired_p_value(differences, users),
    }


def _by_slice(
    answers: dict[str, Answers],
    data: TrainingSet,
    targets: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> dict[str, Any]:
    return {
        way: {
            group: _slice(answers, mask, data.event_users[targets])
            for group, mask in groups.items()
        }
        for way, groups in slices_of(data, targets, counts).items()
    }


def _slice(
    answers: dict[str, Answers], mask: NDArray[np.bool_], users: NDArray[np.int64]
) -> dict[str, Any]:
    found = {who: gains(one.ranks[mask]) for who, one in answers.items()}
    told: dict[str, Any] = {
        "n": int(mask.sum()),
        "ndcg_10": {who: float(values.mean()) for who, values in found.items()},
    }
    if CHAMPION in found:
        interval = bootstrap_mean(found[MODEL] - found[CHAMPION], users[mask])
        told["model_minus_champion"] = asdict(interval)
    return told


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
    parser.add_argument("--champion", type=Path, help="the model folder of what is live")
    parser.add_argument("--out", type=Path, help="default: evaluation.json in the model folder")
    arguments = parser.parse_args()
    out = arguments.out or arguments.model / "evaluation.json"
    try:
        report = evaluate(arguments.data, arguments.model, out, _print, champion=arguments.champion)
    except (TrainingSetError, ModelFolderError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    _print("passes the gate" if report["passes"] else "\n".join(["refused:", *report["refusals"]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
