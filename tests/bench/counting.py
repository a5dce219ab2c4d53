"""How good counting can get: every baseline on the sample city and on the public research data.

python -m tests.bench.counting [--sets NAME ...] [--home DIR] [--people N]

NAME is city, nyc, ml-1m or beauty. The city's events are those of a home that is made with the
demo's 120,000 events, or lie in DIR already. Tells what tuning takes, how far the climbs from
several starts end apart, and what counting memorizes, too: what the gate goes by. With --people,
for a trial, figures go to `.bench/small/`.
"""

import argparse
import tempfile
import time
from pathlib import Path

from models_ml.baselines.co_occurrence import tune_co_occurrence, tune_own_visits
from models_ml.baselines.fit import baselines_of, from_other_starts, tuned_for
from models_ml.baselines.linear_baseline import LinearBaseline
from models_ml.baselines.linear_counts import NAME
from models_ml.baselines.linear_counts_fit import tune_linear_counts
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.evaluation.comparison import compare, sample
from models_ml.evaluation.gate import gate_split
from models_ml.evaluation.memorization import memorization
from models_ml.evaluation.ranking import ask
from models_ml.evaluation.report import TIME
from models_ml.metrics import gains
from orchestration.home.environment import enter
from orchestration.home.quiet import hush
from orchestration.landing.registered import register, resolve
from orchestration.model.store import current_training_set
from orchestration.runs import run
from orchestration.sample import home_city as sample_city
from serving.home import Home
from tests.bench.figures import FOLDER, Figure, publish
from tests.bench.public_training_sets import beauty, movielens, new_york

DATA = Path(__file__).parents[3] / "shared" / "data"
SMALL = FOLDER / "small"
EVENTS = 120_000
CITY, NYC = "city", "nyc"
PUBLIC = {NYC: new_york, "ml-1m": movielens, "beauty": beauty}
GOALS = {CITY: 0.216, NYC: 0.480}
"""NDCG@10 of `linear_counts` on the last tenth of events."""
MOST_SECONDS = {CITY: 30.0}
_ASKED = 5_000


def main() -> None:
    """Print what was found and write `.bench/counting.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=[CITY, *PUBLIC], default=[CITY, *PUBLIC])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--people", type=int, help="of each public set; all without it")
    arguments = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.sets:
            if name == CITY:
                folder = _city(Home(arguments.home or Path(scratch) / "home"))
            else:
                folder = Path(scratch) / name
                PUBLIC[name](DATA, folder, arguments.people)
            figures += counting(name, read_training_set(folder))
    publish("counting", figures, SMALL if arguments.people else FOLDER)


def _city(home: Home) -> Path:
    """Give the city's training set; a home that already ran is not run again."""
    enter(home)
    hush()
    documents = sample_city.make(home, events=EVENTS, seed=0)
    register(home, resolve("sample", documents, None))
    run(home, "tiny", seed=0)
    return current_training_set(home).folder


def counting(name: str, data: TrainingSet) -> list[Figure]:
    """Tell of one set how good its baselines are, and what is behind `linear_counts`."""
    fit = Fit(data)
    co_occurrence = tune_co_occurrence(fit, tune_own_visits(fit))
    begun = time.process_time()
    tune_linear_counts(fit, co_occurrence)
    seconds = time.process_time() - begun
    tuned = tuned_for(fit)
    baselines = {one.name: one for one in baselines_of(fit, tuned)}
    (linear,) = (one for one in baselines.values() if isinstance(one, LinearBaseline))
    compared = compare(baselines, data, most_targets=len(data.places), subject=NAME)
    return [
        Figure(f"{name}: tuning {NAME}, processor time", seconds, "s", MOST_SECONDS.get(name),
               "lower", "must"),
        *(
            Figure(f"{name}: NDCG@10, {split}, {who}", told.ndcg_10, f"{told.n} targets",
                   GOALS.get(name) if (split, who) == (TIME, NAME) else None, "higher", "must")
            for split, quality in compared.quality.items()
            for who, told in quality.items()
            if told.n
        ),
        *_behind(name, fit, tuned, linear),
    ]  # fmt: skip


def _behind(name: str, fit: Fit, tuned: Tuned, linear: LinearBaseline) -> list[Figure]:
    """Tell how far the climbs end apart, and what counting memorizes, on some targets."""
    is_by_time = gate_split(fit.data, fit.parts) == TIME
    targets = sample(fit.parts.time_targets if is_by_time else fit.parts.loo_targets, _ASKED)
    if not len(targets):
        return []
    starts = [linear, *from_other_starts(tuned, linear, fit)]
    quality = [float(gains(ask(one, fit.data, targets).ranks).mean()) for one in starts]
    memorized = memorization(fit, tuned, linear, linear, targets)
    apart = Figure(f"{name}: so far apart end the climbs", max(quality) - min(quality), "NDCG@10",
                   None, "lower", "must")  # fmt: skip
    if memorized is None:
        return [apart]
    return [
        apart,
        Figure(
            f"{name}: memorized by {NAME}", memorized.counting, "NDCG@10", None, "lower", "must"
        ),
    ]


if __name__ == "__main__":
    main()
