"""The small forms of the benchmarks of quality and training, on some people of the real data."""

import json
import math
import sys

import pytest

from tests.bench import counting, quality, quality_runs, train

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FOLDERS = {"ml-1m": "ml-1m", "nyc": "foursquare_nyc", "beauty": "amazon_beauty_bert4rec"}
BASELINES = ("popularity", "own_visits", "item_knn", "ease", "co_occurrence")


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call a benchmark's main with arguments; figures go to a folder of the test's own."""
    monkeypatch.setattr(quality_runs, "SMALL", tmp_path)

    def main_of(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__name__, *arguments, "--small"])
        module.main()

    return main_of


def needs(dataset):
    if not (quality_runs.DATA / FOLDERS[dataset]).exists():
        pytest.skip(f"no data set beside the project: shared/data/{FOLDERS[dataset]}")


def figures_of(path):
    told = {row["name"]: row["value"] for row in json.loads(path.read_text())}
    assert [name for name, value in told.items() if not math.isfinite(value)] == []
    return told


@pytest.mark.parametrize("dataset", FOLDERS)
def test_quality_in_small_tells_every_figure(dataset, call, tmp_path, capsys):
    needs(dataset)
    call(quality_runs, dataset, "--seeds", "1")
    call(quality, dataset)
    figures = figures_of(tmp_path / f"quality-{dataset}.json")
    printed = capsys.readouterr().out
    page = (tmp_path / f"quality-{dataset}.html").read_text()
    split = "time" if dataset == "nyc" else "loo"
    for name in ("model", *BASELINES):
        assert 0 <= figures[f"ndcg_10 {split}, {name}"] <= figures[f"hr_10 {split}, {name}"] <= 1
        assert name in printed
        assert f"<td>{name}</td>" in page
    assert any(name.startswith(f"NDCG@10 {split}, model less ") for name in figures)
    readings = [name for name in figures if name.startswith("HR@10 on new places")]
    assert len(readings) == (2 if dataset == "nyc" else 0)
    assert page.count("data:image/png;base64,") >= 4


def test_training_in_small_tells_every_figure(call, tmp_path, capsys):
    needs("ml-1m")
    call(train)
    figures = figures_of(tmp_path / "train.json")
    assert figures["the same, ours / rival, read"] == pytest.approx(
        figures["events a second, read, ours"] / figures["events a second, read, rival"]
    )
    assert figures["events a second, read, ours"] > figures[
        "events a second, each counted once an epoch, ours"
    ]  # fmt: skip
    assert 0 < figures["validation NDCG@10 of ours within 10 minutes"] < 1
    assert 0 < figures["the rival's best validation NDCG@10"] < 1
    assert "bench-train" in capsys.readouterr().out


def test_counting_in_small_tells_every_figure(tmp_path, monkeypatch, capsys):
    needs("nyc")
    monkeypatch.setattr(counting, "SMALL", tmp_path)
    monkeypatch.setattr(sys, "argv", ["counting", "--sets", "nyc", "--people", "60"])
    counting.main()
    figures = figures_of(tmp_path / "counting.json")
    for split in ("time", "loo"):
        for name in (*BASELINES, "linear_counts"):
            assert 0 <= figures[f"nyc: NDCG@10, {split}, {name}"] <= 1
    assert figures["nyc: so far apart end the climbs"] >= 0
    assert figures["nyc: tuning linear_counts, processor time"] > 0
    assert "bench-counting" in capsys.readouterr().out


def test_without_a_trained_model_quality_names_the_command(call):
    with pytest.raises(SystemExit, match="quality_runs nyc --small"):
        call(quality, "nyc")
