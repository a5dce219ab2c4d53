"""How far neighbours share the planted taste of the sample city: ours, popularity's, an SVD's.

python -m tests.bench.taste [--home DIR] [--events N] [--preset NAME]

Runs the main job on a sample city of its own (a home that already ran is not run again), then
looks at the same people's ten nearest by each vector. See `orchestration/sample/planted_taste.py`.
"""

import argparse
import tempfile
from pathlib import Path

from orchestration.home.environment import enter
from orchestration.home.quiet import hush
from orchestration.landing.registered import register, resolve
from orchestration.runs import run
from orchestration.sample import home_city as sample_city
from orchestration.sample.planted_taste import planted_taste_lifts
from serving.home import Home
from tests.bench.figures import Figure, publish


def main() -> None:
    """Print the lifts side by side and write `.bench/taste.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--events", type=int, default=120_000)
    parser.add_argument("--preset", default="small")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(arguments.home or Path(scratch) / "home")
        enter(home)
        hush()
        documents = sample_city.make(home, events=arguments.events, seed=0)
        register(home, resolve("sample", documents, None))
        run(home, arguments.preset, seed=0)
        lifts = planted_taste_lifts(home, home.sample_truth)
    ours, rival = lifts["ours"], lifts["svd"]
    figures = [
        Figure("taste lift, ours", ours.taste, "x chance", rival.taste, "higher", "goal"),
        *(
            Figure(f"taste lift, {name}", lift.taste, "x chance", None, "higher", "must")
            for name, lift in lifts.items()
            if name != "ours"
        ),
        *(
            Figure(f"district lift, {name}", lift.district, "x chance", None, "lower", "must")
            for name, lift in lifts.items()
        ),
    ]
    publish("taste", figures)


if __name__ == "__main__":
    main()
