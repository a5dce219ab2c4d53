"""Real data sets from Parquet to a release, with a run that is killed on its way."""

import json
import os
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

from serving.home import Home
from tests.command import ROOT, TASTEMATE, TINY, conserved, tastemate

DATA = ROOT.parent / "shared" / "data"
MAPPINGS = ROOT / "orchestration" / "mappings"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(
    ("dataset", "reached"),
    [("foursquare", "marts/fct_events.parquet"), ("movielens", "models/*/logs")],
)
def test_real_data_survives_a_kill_and_goes_through(dataset, reached, tmp_path):
    """A part of a real data set; the first run is killed on its way, the second carries on."""
    folders = {"foursquare": "foursquare_nyc", "movielens": "ml-1m"}
    files = {"foursquare": ("checkins", "places"), "movielens": ("sequences_bert4rec", "movies")}
    source = DATA / folders[dataset]
    if not source.exists():
        pytest.skip(f"no data set beside the project: shared/data/{folders[dataset]}")
    data = tmp_path / "data"
    data.mkdir()
    for name, rows in zip(files[dataset], (8000, None), strict=True):
        table = pq.read_table(source / f"{name}.parquet")
        pq.write_table(table.slice(0, rows), data / f"{name}.parquet")
    home = Home(tmp_path / "home")
    arguments = ["run", "--source", "interactions", "--mapping", str(MAPPINGS / f"{dataset}.yml"),
                 "--path", str(data), *TINY]  # fmt: skip
    killed = subprocess.Popen(
        [TASTEMATE, "--home", home.root, *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while not any(home.root.glob(reached)) and killed.poll() is None:
        time.sleep(0.05)
    assert killed.poll() is None, "the run ended before it could be killed"
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    report = json.loads(tastemate(home.root, *arguments, "--json").stdout)
    assert conserved(report)
    assert sum(file["lines_in"] for file in report["files"] if file["kind"] == "events") == 8000
    assert report["release_id"]
    assert report["quality"]["time"]["model"]["n"] > 0
