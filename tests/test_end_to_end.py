"""From raw documents to answers over HTTP, with every part real."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest

from models_ml.evaluation.report import Evaluation
from orchestration.model.store import current_model
from serving.home import Home
from tests.command import ROOT, TINY, conserved, tastemate
from tests.sample_city import make_city

WORKED_QUESTIONS = re.findall(
    r"```sql\n(.*?)```\n\n(\|.*?)\n(?=\n|\Z)",
    (ROOT / "docs" / "how-to" / "ask-the-marts.md").read_text(),
    re.DOTALL,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def city_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Home, subprocess.CompletedProcess[str]]:
    """A home after one run on a small sample city, and what the run printed."""
    home = Home(tmp_path_factory.mktemp("city") / "home")
    make_city(home, 6000)
    sample = ["--source", "sample", "--events", "6000"]
    return home, tastemate(home.root, "run", *sample, *TINY, "--json")


@pytest.fixture(scope="module")
def city(city_run) -> tuple[Home, dict[str, Any]]:
    home, done = city_run
    return home, json.loads(done.stdout)


def test_the_run_shows_its_steps_and_no_noise_of_libraries(city_run):
    _, done = city_run
    assert "✓ elt" in done.stderr
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "INFO" not in done.stderr


@pytest.fixture(scope="module")
def client(city: tuple[Home, dict[str, Any]]) -> Iterator[httpx.Client]:
    from serving import server

    with server.start(city[0]) as running, httpx.Client(base_url=running.url, timeout=30) as asking:
        yield asking


def ask(client: httpx.Client, question: str, user_id: str, **more: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/{question}", json={"user_id": user_id, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def someone(home: Home, at_least: int = 5, but: tuple[str, ...] = ()) -> str:
    """The product's id of a discoverable person with some history."""
    from serving.vault import Vault

    users = pq.read_table(home.marts / "dim_users.parquet").sort_by("user_id").to_pylist()
    known = [
        user["user_id"]
        for user in users
        if user["event_count"] >= at_least and user["is_discoverable"]
    ]
    revealed = Vault(home).reveal(known)
    return next(revealed[one] for one in known if revealed[one] not in but)


def test_the_run_accounts_for_every_line_that_the_generator_spoiled(city):
    home, report = city
    dirt = json.loads((home.root / "sample_city" / "truth" / "dirt.json").read_text())
    assert conserved(report)
    for file in report["files"]:
        assert file["lines_in"] == dirt[file["kind"]]["lines"]
        assert file["accepted"] == dirt[file["kind"]]["good"]


def test_the_report_shows_model_and_baselines_on_both_splits(city):
    _, report = city
    assert report["status"] == "succeeded"
    assert report["parity"]["holds"]
    assert report["state"]["models"]["marts/fct_events"]["rows"] == report["events"]
    for split in ("time", "loo"):
        assert "model" in report["quality"][split]
        assert len(report["quality"][split]) >= 5
        assert all(
            0 <= row["ndcg_10"] <= 1 and row["n"] > 0 for row in report["quality"][split].values()
        )
    assert {step["name"] for step in report["steps"]} > {"elt", "model__recommender"}


def test_analysts_get_a_copy_that_names_nobody_and_dbts_page(city):
    home, _ = city
    truth = pq.read_table(home.root / "sample_city" / "truth" / "truth.parquet")
    product_ids = set(truth["user_id"].to_pylist())
    with duckdb.connect(home.analysts / "tastemate.duckdb", read_only=True) as copy:
        columns = copy.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns() "
            "where not internal and data_type = 'VARCHAR'"
        ).fetchall()
        assert ("marts.fct_sessions", "user_id") in columns
        for table, column in columns:
            told = copy.table(table).project(column).distinct().fetchall()
            assert not product_ids & {value for (value,) in told}, (table, column)
    assert "fct_sessions" in (home.analysts / "docs" / "index.html").read_text()


@pytest.mark.parametrize("number", range(3))
def test_a_worked_question_gets_the_answer_that_the_docs_print(city, number):
    home, _ = city
    sql, answer = WORKED_QUESTIONS[number]
    with duckdb.connect(home.analysts / "tastemate.duckdb", read_only=True) as copy:
        asked = copy.execute(sql)
        names = [name for name, *_ in asked.description]
        rows = [names, ["---"] * len(names), *asked.fetchall()]
    assert ["| " + " | ".join(map(str, row)) + " |" for row in rows] == answer.splitlines()


def test_a_run_with_nothing_new_does_little_and_keeps_what_is_live(city):
    home, report = city
    before = home.champion.read_bytes()
    again = json.loads(tastemate(home.root, "run", "--json").stdout)
    assert again["run_id"] == report["run_id"]
    assert home.champion.read_bytes() == before


def test_a_model_trained_elsewhere_comes_back_as_the_homes_model(city, tmp_path):
    home, _ = city
    data, model = tmp_path / "data", tmp_path / "model"
    tastemate(home.root, "train", "--export", str(data))
    there = [sys.executable, "-m", "models_ml.train", "--data", data, "--out", model]
    subprocess.run([*there, *TINY, "--seed", "1"], cwd=ROOT, check=True, capture_output=True)
    tastemate(home.root, "train", "--adopt", str(model))
    adopted = current_model(home).path
    for name in ("model.safetensors", "config.json", "training.json"):
        assert (adopted / name).read_bytes() == (model / name).read_bytes()


def test_the_gate_exits_with_3_and_says_all_that_speaks_against_the_model(city):
    home, _ = city
    done = tastemate(home.root, "evaluate", "--gate", check=False)
    found = Evaluation.read(current_model(home))
    # A model of seconds does not beat counting.
    assert not found.passes
    assert done.returncode == 3
    assert all(reason in done.stderr for reason in found.refusals)
    # What is live is a baseline of the same events, which is compared as such.
    assert {"model", found.best_baseline} <= set(found.time)
    assert "champion" not in found.time


def test_a_release_has_a_page_and_mlflow_says_what_is_live(city):
    from mlflow import MlflowClient

    from orchestration.home.environment import exports

    home, report = city
    shown = tastemate(home.root, "release", "show", report["release_id"])
    page = home.releases / report["release_id"] / "card.html"
    assert str(page) in shown.stdout
    assert f"{report['release_kind']} {report['release_name']}" in shown.stdout
    assert f"Release {report['release_id']}" in page.read_text()
    uri = exports(home)["MLFLOW_TRACKING_URI"]
    live = MlflowClient(uri, uri).get_model_version_by_alias("tastemate", "champion")
    assert live.tags["release_id"] == report["release_id"]
    alone = tastemate(home.root, "release", "rollback", check=False)
    assert alone.returncode == 3
    assert "the only release" in alone.stderr


def test_the_service_answers_what_the_report_says_is_live(city, client):
    home, report = city
    person = someone(home)
    for question, answers in (("similar-users", "users"), ("recommend-places", "places")):
        answer = ask(client, question, person, limit=5)
        assert (answer["release_id"], answer["index_id"]) == (
            report["release_id"],
            report["index_id"],
        )
        assert len(answer[answers]) == 5
        assert person not in [user.get("user_id") for user in answer[answers]]


def test_nobody_who_does_not_want_to_be_shown_is_shown(city, client):
    home, _ = city
    truth = pq.read_table(home.root / "sample_city" / "truth" / "truth.parquet").to_pylist()
    hidden = {row["user_id"] for row in truth if not row["is_discoverable"]}
    assert hidden
    seen = {
        user["user_id"]
        for row in truth[:40]
        for user in ask(client, "similar-users", row["user_id"], limit=50)["users"]
    }
    assert seen
    assert not seen & hidden


def test_new_events_change_that_persons_answer_and_nobody_elses(city, client):
    home, report = city
    person = someone(home)
    other = someone(home, but=(person,))
    before = {user: ask(client, "recommend-places", user) for user in (person, other)}
    places = pq.read_table(home.marts / "dim_places.parquet")["place_id"].to_pylist()
    moment = datetime.now(UTC).isoformat()
    likes = home.root / "sample_city" / "documents" / "likes-2.jsonl"
    likes.write_text(
        "".join(
            json.dumps({"_id": f"new-{n}", "user_id": person, "display_id": "map",
                        "contents_id": place, "like_time": moment}) + "\n"
            for n, place in enumerate(places[:30])
        )
    )  # fmt: skip
    landed = json.loads(tastemate(home.root, "ingest", "--json").stdout)
    assert {file["name"]: file["lines_in"] for file in landed if file["status"] == "landed"} == {
        "likes-2.jsonl": 30
    }
    tastemate(home.root, "build", "--quiet")
    published = json.loads(tastemate(home.root, "materialize", "--json").stdout)
    assert published["holds"]
    after = {user: ask(client, "recommend-places", user) for user in (person, other)}
    ranked = {
        when: {
            user: [place["place_id"] for place in answer["places"]]
            for user, answer in answers.items()
        }
        for when, answers in (("before", before), ("after", after))
    }
    assert after[person]["release_id"] == before[person]["release_id"] == report["release_id"]
    assert ranked["after"][person] != ranked["before"][person]
    assert ranked["after"][other] == ranked["before"][other]


def test_an_added_column_reaches_feast_and_the_reader_without_python(city, tmp_path):
    """A column in SQL and YAML, the lock accepted: stock Feast and the reader have it."""
    home, _ = city
    project = tmp_path / "dbt_project"
    shutil.copytree(ROOT / "dbt_project", project)
    sql, contract = (project / "models" / "features" / f"place.{kind}" for kind in ("sql", "yml"))
    text = sql.read_text().rstrip()
    body, _, last = text.rpartition("event_count")
    sql.write_text(f"{body}event_count,\n    length(place_id) as name_length{last}\n")
    marker = "      - name: event_count\n"
    assert marker in contract.read_text()
    contract.write_text(
        contract.read_text().replace(
            marker,
            "      - name: name_length\n        data_type: bigint\n"
            "        description: Characters of the id.\n" + marker,
        )
    )
    target = tmp_path / "home"
    shutil.copytree(home.root, target)
    code = """
import sys
from pathlib import Path
import orchestration.home.environment as settings
settings.DBT_PROJECT = Path(sys.argv[2])
from serving.home import Home
from feature_repo import lock
from feature_repo.publish import publish
from feature_repo.settings import open_store
home = Home(Path(sys.argv[1]))
settings.enter(home)
import subprocess
from orchestration.warehouse.dbt_command import dbt_executable
build = [dbt_executable(), "--quiet", "build", "--select", "place"]
subprocess.run(build, cwd=sys.argv[2], check=True)
agreed = home.root / "features.lock.json"
try:
    lock.apply(home.root)
except lock.LockError as error:
    assert "name_length" in str(error), error
else:
    raise AssertionError("a column that nobody agreed to was applied")
lock.accept(home.root, agreed)
lock.apply(home.root, agreed)
publish(home.root)
store = open_store(home.root)
import pyarrow.parquet as pq
place = pq.read_table(home.features / "place.parquet")["place_id"][0].as_py()
asked = {"features": ["place:name_length"], "entity_rows": [{"place_id": place}]}
read = store.get_online_features(**asked).to_dict()
assert read["name_length"] == [len(place)], read
from feature_repo.frozen import freeze
from feature_repo.reader import open_readers
freeze(home.root, home.root / "frozen")
frozen = home.root / "frozen" / "registry.pb"
[reader] = open_readers(frozen, home.root, ["tastemate_places_v1"])
assert reader.read([place])[place]["name_length"] == len(place)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, target, project],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
