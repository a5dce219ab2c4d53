"""The packaged service as its users meet it: a bento, its process, real HTTP, the stock client."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from serving import bento, champion, server
from serving.app import MAX_BODY
from serving.home import Home
from serving.messages import RecommendPlacesQuestion, SimilarUsersQuestion
from tests.serving.city import FORGOTTEN, HIDDEN, KNOWN_AT, USERS, City

pytestmark = pytest.mark.slow

IMPORT_WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {
            "dagster", "dagster_dbt", "dbt", "orchestration", "torch", "transformers"
        }:
            raise ImportError(f"{name} is not installed with the bento")

sys.meta_path.insert(0, Refuse())
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import serving.service
from serving.home import Home
from serving.messages import SimilarUsersQuestion
assert Path(serving.service.__file__).is_relative_to(sys.argv[1]), serving.service.__file__
live = serving.service.LIVE
live.open(Home(Path(sys.argv[2])), Path(sys.argv[3]), sys.argv[4])
print(len(live.answers().similar_users(SimilarUsersQuestion(user_id="1000")).users))
"""


@pytest.fixture(scope="module")
def home(finished_city: City, tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(finished_city.home.root, root)
    return Home(root)


@pytest.fixture(scope="module")
def running(home: Home) -> Iterator[server.Server]:
    for name in ("TASTEMATE_ONLINE", "TASTEMATE_KEYS"):
        os.environ.pop(name, None)
    with server.start(home) as started:
        yield started


@pytest.fixture
def client(running: server.Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, trust_env=False, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def built(home: Home, finished_city: City) -> Path:
    # As in a run, which begins with it and waits for it at its end.
    bento.build_ahead(home, finished_city.release.release_id)
    tag = bento.build(home, finished_city.release.release_id)
    assert tag == f"tastemate:{finished_city.release.release_id}"
    return home.bentoml / "bentos" / "tastemate" / finished_city.release.release_id


def test_the_service_answers_as_the_release_does(client: httpx.Client, finished_city: City) -> None:
    answers = finished_city.answers()
    response = client.post("/v1/similar-users", json={"user_id": "1000", "limit": 5})
    assert response.status_code == 200
    body = response.json()
    assert response.headers["x-request-id"] == body["request_id"]
    assert body["release_id"] == finished_city.release.release_id
    assert (body["strategy"], body["degraded"]) == ("model", False)
    expected = answers.similar_users(SimilarUsersQuestion(user_id="1000", limit=5))
    assert [user["user_id"] for user in body["users"]] == [u.user_id for u in expected.users]

    body = client.post("/v1/recommend-places", json={"user_id": 1000}).json()
    wanted = answers.recommend_places(RecommendPlacesQuestion(user_id="1000"))
    assert [place["place_id"] for place in body["places"]] == [p.place_id for p in wanted.places]


def test_nobody_is_shown_who_must_not_be(client: httpx.Client) -> None:
    body = client.post("/v1/similar-users", json={"user_id": "1000", "limit": 100}).json()
    shown = {user["user_id"] for user in body["users"]}
    assert shown == set(USERS) - {"1000", HIDDEN, FORGOTTEN}


# The client itself defines its models as pydantic will one day not allow any more.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:_bentoml_sdk")
def test_bentomls_own_client_gets_the_same(running: server.Server, client: httpx.Client) -> None:
    import bentoml

    with bentoml.SyncHTTPClient(running.url) as stock:
        people = stock.similar_users(user_id="1000", limit=5)
        places = stock.recommend_places(user_id=1000, category_code="bar")
    asked = client.post("/v1/similar-users", json={"user_id": "1000", "limit": 5}).json()
    assert people["users"] == asked["users"]
    asked = client.post(
        "/v1/recommend-places", json={"user_id": 1000, "category_code": "bar"}
    ).json()
    assert places["places"] == asked["places"]


@pytest.mark.parametrize("path", ["/similar_users", "/recommend_places"])
def test_a_request_keeps_its_name_at_every_door(client: httpx.Client, path: str) -> None:
    response = client.post(path, json={"user_id": "1000"}, headers={"x-request-id": "mine"})
    assert response.json()["request_id"] == response.headers["x-request-id"] == "mine"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/v1/openapi.json"])
def test_what_an_operator_asks_is_answered(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_the_page_for_people_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/")
    assert "swagger" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self';")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/v1/similar-users", "{}", "invalid_request"),
        ("POST", "/v1/similar-users", "{", "malformed_json"),
        ("POST", "/v1/nothing", "{}", "not_found"),
        ("GET", "/v1/similar-users", "", "method_not_allowed"),
        ("POST", "/v1/similar-users", " " * (MAX_BODY + 1), "body_too_large"),
        ("POST", "/similar_users", " " * (MAX_BODY + 1), "body_too_large"),
    ],
)
def test_inside_the_bento_errors_are_problems_too(
    client: httpx.Client, method: str, path: str, body: str, code: str
) -> None:
    headers = {"content-type": "application/json", "x-request-id": "mine"}
    response = client.request(method, path, content=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["request_id"] == response.headers["x-request-id"] == "mine"


def test_only_this_computer_is_listened_to(running: server.Server) -> None:
    processes = [psutil.Process(running.process.pid)]
    processes += processes[0].children(recursive=True)
    listening = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_new_index_is_followed_without_a_restart(
    client: httpx.Client, home: Home, finished_city: City
) -> None:
    question = {"user_id": "1000", "limit": 100}
    before = client.post("/v1/similar-users", json=question).json()
    gone = before["users"][0]["user_id"]
    favors = {u: row for u, row in finished_city.favors.items() if u != gone}
    city = City(home, favors, finished_city.places, finished_city.release)
    city.write()
    made = city.build_index(KNOWN_AT + timedelta(days=1))
    champion.promote(home, finished_city.release.release_id, made.index_id, "a day later")
    deadline = time.monotonic() + 30
    after = client.post("/v1/similar-users", json=question).json()
    while after["index_id"] == before["index_id"] and time.monotonic() < deadline:
        time.sleep(0.05)
        after = client.post("/v1/similar-users", json=question).json()
    assert after["index_id"] == made.index_id
    assert after["release_id"] == before["release_id"]
    assert gone not in {user["user_id"] for user in after["users"]}


def test_building_again_does_nothing(built: Path, home: Home, finished_city: City) -> None:
    before = (built / "bento.yaml").stat().st_mtime_ns
    bento.build(home, finished_city.release.release_id)
    assert (built / "bento.yaml").stat().st_mtime_ns == before


def test_a_bento_carries_the_release_and_only_what_answers(built: Path, home: Home) -> None:
    release_id = built.name
    stored = home.bentoml / "models" / "tastemate" / release_id / "release"
    assert {path.name for path in stored.iterdir()} >= {"network.onnx", "registry.pb"}
    info = yaml.safe_load((built / "bento.yaml").read_text())
    assert [model["tag"] for model in info["models"]] == [f"tastemate:{release_id}"]
    folders = {
        path.parts[0] for path in (p.relative_to(built / "src") for p in built.rglob("src/*/*"))
    }
    assert folders == {"feature_repo", "models_ml", "serving"}
    installed = (built / "env" / "python" / "requirements.txt").read_text().lower()
    assert "onnxruntime==" in installed
    for name in ("dagster", "dbt", "torch", "transformers"):
        assert not [line for line in installed.splitlines() if line.startswith(name)]


def test_a_bento_answers_where_neither_dagster_nor_dbt_nor_torch_is_installed(
    built: Path, home: Home, tmp_path: Path
) -> None:
    stored = home.bentoml / "models" / "tastemate" / built.name / "release"
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_WITHOUT, built / "src", home.root, stored, built.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "10"


def test_a_service_that_cannot_start_says_why(city: City) -> None:
    shutil.rmtree(city.home.indexes)
    with pytest.raises(server.ServerError, match=r"cannot start.*[\s\S]*no index"):
        server.start(city.home)


def test_stopping_leaves_no_process_behind(finished_city: City, running: server.Server) -> None:
    with server.start(Home(finished_city.home.root)) as other:
        family = psutil.Process(other.process.pid).children(recursive=True)
        assert family
    assert other.process.poll() is not None
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert running.process.poll() is None
