"""Runs over days: one that keeps the model, one that trains it on, each up to what is live."""

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from orchestration.model.retraining.policy import POLICY_FILE
from orchestration.model.store import current_model, current_training_set, record_of
from serving import champion
from serving.home import Home
from tests.command import TINY, tastemate
from tests.sample_city import make_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PERSON, EVENTS = "100029", 40


def like_more(home: Home, part: int, count: int) -> None:
    """Let one person like *count* places that are known, now."""
    places = pq.read_table(home.marts / "dim_places.parquet")["place_id"].to_pylist()
    moment = datetime.now(UTC).isoformat()
    likes = home.root / "sample_city" / "documents" / f"likes-{part}.jsonl"
    lines = [
        {"_id": f"new-{part}-{n}", "user_id": PERSON, "display_id": "map",
         "contents_id": places[n % len(places)], "like_time": moment}
        for n in range(count)
    ]  # fmt: skip
    likes.write_text("".join(json.dumps(line) + "\n" for line in lines))


def run(home: Home, *arguments: str) -> tuple[dict[str, Any], str]:
    done = tastemate(home.root, "run", *arguments, "--json")
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[tuple[dict[str, Any], str]]]:
    """Three days: the first; one with a few new events; one whose policy asks for less."""
    home = Home(tmp_path_factory.mktemp("days") / "home")
    make_city(home, 6000)
    told = [run(home, "--source", "sample", "--events", "6000", *TINY)]
    like_more(home, 2, EVENTS)
    told.append(run(home))
    policy = yaml.safe_load(POLICY_FILE.read_text())
    policy["retrain"]["new_events"] = 0.001
    home.retraining.write_text(yaml.safe_dump(policy))
    like_more(home, 3, EVENTS)
    # What the gate says of a model of seconds is no matter here.
    evaluation = current_model(home).evaluation
    evaluation.write_text(json.dumps(json.loads(evaluation.read_text()) | {"passes": True}))
    told.append(run(home))
    return home, told


def test_a_fresh_home_trains_from_scratch_and_says_so(days):
    _, [(report, said), *_] = days
    assert report["retraining"]["reasons"] == ["there is no model yet"]
    assert report["retraining"]["from_scratch"]
    assert "trained from scratch: there is no model yet" in said


def test_a_few_new_events_keep_the_model_and_make_a_new_index(days):
    home, [(first, _), (second, said), _] = days
    assert not second["retraining"]["retrain"]
    assert second["retraining"]["figures"]["since"] == EVENTS
    assert "not trained anew: 0." in said
    assert second["release_id"] == first["release_id"]
    assert second["index_id"] != first["index_id"]
    assert second["events"] == first["events"] + EVENTS
    assert second["quality"] == first["quality"]
    live = [entry.index_id for entry in champion.log(home)]
    assert live[:2] == [first["index_id"], second["index_id"]]


def test_what_passes_the_policys_bound_trains_on_from_the_last_weights(days):
    home, [_, _, (third, said)] = days
    assert third["retraining"]["retrain"]
    assert not third["retraining"]["from_scratch"]
    assert "trained on from the last model: 1." in said
    record = record_of(current_model(home))
    assert record.warm_start
    learned = record.learned_from or []
    assert len(learned) == 2
    assert learned[-1].training_set_hash == current_training_set(home).hash


def test_dagster_keeps_the_reasons_as_a_tag_of_the_run(days):
    import dagster as dg

    home, [_, (second, _), _] = days
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        run_record = instance.get_run_by_id(second["run_id"])
    assert run_record is not None
    assert run_record.tags["tastemate/retraining"].startswith("not trained anew: ")


def test_the_readable_report_says_it_too(days):
    home, _ = days
    readable = (home.reports / "latest.md").read_text()
    assert "The model was trained on from the last model: " in readable
