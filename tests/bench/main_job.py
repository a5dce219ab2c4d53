"""The main job on real data: wall time from Parquet to what is live, conservation, quality.

python -m tests.bench.main_job foursquare_nyc|ml-1m [--home DIR] [--preset NAME]

The data lies in `shared/data` beside the project. A fresh home is used, so the time is that of
a first run, set-up aside.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from models_ml.evaluation.report import MODEL
from models_ml.typed_json import decode
from orchestration.delivery.run_report import RunReport
from orchestration.model.charts import is_ours
from tests.bench.figures import Figure, publish

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
MAPPINGS = {"foursquare_nyc": "foursquare", "ml-1m": "movielens"}
NAMES = {"foursquare_nyc": "new-york", "ml-1m": "movielens"}
LINES = {"foursquare_nyc": 147_938, "ml-1m": 999_611}
MINUTES = {"foursquare_nyc": 15, "ml-1m": None}


def main() -> None:
    """Run `tastemate run` as a person would and write `.bench/` `new-york` or `movielens.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=sorted(MAPPINGS))
    parser.add_argument("--home", type=Path)
    parser.add_argument("--preset", default="base")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = arguments.home or Path(scratch) / "home"
        mapping = ROOT / "orchestration" / "mappings" / f"{MAPPINGS[arguments.data]}.yml"
        command = [
            Path(sys.executable).with_name("tastemate"), "--home", home, "run", "--json",
            "--source", "interactions", "--mapping", mapping, "--path", DATA / arguments.data,
            "--preset", arguments.preset,
        ]  # fmt: skip
        started = time.monotonic()
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        minutes = (time.monotonic() - started) / 60
    report = decode(RunReport, json.loads(printed), "tastemate run --json")
    publish(NAMES[arguments.data], _figures(arguments.data, report, minutes))


def _figures(data: str, report: RunReport, minutes: float) -> list[Figure]:
    lost = sum(
        abs(one.lines_in - one.accepted - one.duplicates - one.quarantined - one.erased)
        for one in report.files
    )
    lines = sum(one.lines_in for one in report.files if one.kind == "events")
    figures = [
        Figure("from files to what is live", minutes, "minutes", MINUTES[data], "lower", "must"),
        Figure("lines not accounted for", lost, "lines", 0, "lower", "must"),
        Figure("event lines read", lines, "lines", LINES[data], "higher", "must"),
    ]
    for split, quality in report.quality.items():
        best = max(told.ndcg_10 for name, told in quality.items() if not is_ours(name))
        figures += [
            Figure(
                f"NDCG@10 {split}, {name}", told.ndcg_10, "",
                best if name == MODEL else None, "higher", "goal",
            )
            for name, told in quality.items()
        ]  # fmt: skip
    return figures


if __name__ == "__main__":
    main()
