"""Every verb, typed as a person types it, in a process of its own.

Of a verb that reports as JSON, stdout is that and nothing else, as its schema in the reference
describes it. All work on one home, that of a small demo.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import click
import httpx
import pyarrow.parquet as pq
import pytest

from orchestration.cli.output import FAILED, REFUSED
from orchestration.cli.reference.verb_page import verbs
from serving.home import Home, now
from serving.processes import KILLED
from tests.command import TASTEMATE, TINY, hint, tastemate
from tests.made import another_release
from tests.orchestration.cli.reported import reported
from tests.sample_city import make_city

CITY = ["--source", "sample", "--events", "1000"]
TESTED: set[str] = set()

pytestmark = pytest.mark.timeout(1800)


def runs(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Say which verbs a test types."""
    TESTED.update(names)

    def marked(test: Callable[..., None]) -> Callable[..., None]:
        return pytest.mark.slow(test)

    return marked


def test_every_verb_has_a_test() -> None:
    leaves = {name for name, verb in verbs() if not isinstance(verb, click.Group)}
    assert leaves == TESTED


@runs("demo")
def test_the_demo_asks_the_service_about_somebody_and_about_a_stranger(shown) -> None:
    _, found = shown
    assert found["report"]["status"] == "succeeded"
    assert len(found["similar_users"]["users"]) == 5
    assert len(found["recommend_places"]["places"]) == 5
    assert found["stranger"]["strategy"] == "popular"
    assert found["stranger"]["release_id"] == found["report"]["release_id"]


@runs("sample next-day")
def test_the_city_lives_on_in_files_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    none = tastemate(home.root, "sample", "next-day", check=False)
    assert (none.returncode, none.stdout) == (FAILED, "")
    assert hint(home.root, "demo") in none.stderr
    documents = make_city(home, 1000)
    told = reported("sample next-day", tastemate(home.root, "sample", "next-day", "--json"))
    assert (told["number"], told["day"]) == (1, "2026-07-01")
    assert all((documents / file["name"]).exists() for file in told["files"])
    words = tastemate(home.root, "sample", "next-day").stdout
    assert "Day 2 after the sample city's year: Thursday, 2026-07-02" in words
    assert hint(home.root, "run") in words


@runs("run")
def test_a_run_with_nothing_new_reports_what_was_reported(home: Home, report) -> None:
    assert reported("run", tastemate(home.root, "run", *CITY, "--json")) == report


@pytest.mark.slow
def test_the_report_is_a_page_that_leads_to_what_is_live(home: Home, report) -> None:
    page = home.report(kind="html").read_text()
    assert report["verdict"]["is_well"]
    assert page.index("All is well") < page.index(f"{report['events']:,}") < page.index("<details>")
    assert [figure["before"] for figure in report["figures"]] == [None] * 3
    assert (report["refusals"] != []) == ("Why the model was refused" in page)
    quarantined = sum(file["quarantined"] for file in report["files"])
    assert sum(one["lines"] for one in report["quarantine"]) == quarantined
    (link,) = re.findall(r'href="([^"]+)"', page)
    assert link == report["release_page"]
    assert f"Release {report['release_id']}" in (home.reports / link).read_text()
    assert not re.search(r"https?:|<script|url\(", page)


@pytest.fixture(scope="module")
def new_file(home: Home, report) -> Path:
    """Likes that have not landed: one that can be read, and one that was cut off.

    It comes after what tells that nothing is new.
    """
    likes = home.root / "sample_city" / "documents" / "likes-2.jsonl"
    like = {"user_id": "somebody-new", "contents_id": "somewhere-new", "display_id": "map",
            "like_time": report["as_of"]}  # fmt: skip
    lines = [json.dumps({"_id": f"new-{number}", **like}) for number in range(2)]
    likes.write_text(f"{lines[0]}\n{lines[1].removesuffix('}')}\n")
    return likes


@runs("validate")
def test_a_file_with_a_line_that_cannot_be_read_is_not_fit(home: Home, new_file: Path) -> None:
    done = tastemate(home.root, "validate", str(new_file), "--json", check=False)
    (verdict,) = reported("validate", done, FAILED)
    assert (verdict["is_fit"], verdict["accepted"], verdict["quarantined"]) == (False, 1, 1)


@pytest.fixture(scope="module")
def landed(home: Home, new_file: Path) -> list[dict[str, Any]]:
    """What became of each file when the new one landed."""
    assert new_file.exists()
    return list(reported("ingest", tastemate(home.root, "ingest", "--json")))


@runs("ingest")
def test_ingest_lands_the_new_file_and_no_other(landed) -> None:
    assert {file["name"]: file["lines_in"] for file in landed if file["status"] == "landed"} == {
        "likes-2.jsonl": 2
    }
    assert len(landed) == 4


@runs("replay")
def test_a_line_that_was_mended_lands_after_all(home: Home, landed) -> None:
    assert landed
    mended = ["replay", "--reason", "not_json", "--through", "sed 's/$/}/'"]
    told = tastemate(home.root, *mended, "--dry-run").stdout
    assert "likes-2.jsonl (sample, likes): 1 of the 1 in quarantine would land" in told
    found = reported("replay", tastemate(home.root, *mended, "--json"))
    assert {one["name"]: one["landed"] for one in found}["likes-2.jsonl"] == 1
    wrong = tastemate(home.root, "replay", "--reason", "a whim", check=False)
    assert (wrong.returncode, wrong.stdout) == (FAILED, "")
    assert "a whim" in wrong.stderr


@runs("build")
def test_build_hands_its_arguments_to_dbt_and_fails_where_dbt_does(home: Home, landed) -> None:
    assert landed
    assert tastemate(home.root, "build", "--quiet").stdout == ""
    refused = tastemate(home.root, "build", "--no-such-option", check=False)
    assert refused.returncode == FAILED


@runs("recheck")
def test_recheck_finds_marts_and_features_as_a_full_refresh_gives_them(home: Home) -> None:
    found = reported("recheck", tastemate(home.root, "recheck", "--people", "20", "--json"))
    assert found["holds"]
    assert found["rows"] > 0


@runs("plan", "apply")
def test_the_feature_models_are_as_the_lock_says_and_can_be_applied(home: Home) -> None:
    found = reported("plan", tastemate(home.root, "plan", "--json"))
    assert found == {"differences": [], "accepted": False}
    assert tastemate(home.root, "apply").stdout == "Applied: place, user_favor\n"


@runs("materialize", "parity")
def test_what_is_published_is_online_as_it_is_offline(home: Home) -> None:
    published = reported("materialize", tastemate(home.root, "materialize", "--json"))
    compared = reported("parity", tastemate(home.root, "parity", "--json"))
    assert published["holds"]
    assert compared["holds"]
    assert compared["keys"] == published["keys"] > 0


@runs("status")
def test_one_screen_tells_how_a_home_stands(home: Home, report, tmp_path: Path) -> None:
    status = reported("status", tastemate(home.root, "status", "--json"))
    assert status["live"]["release_id"] == report["release_id"]
    assert status["last_run"]["status"] == "succeeded"
    shown = tastemate(home.root, "status").stdout
    assert report["release_id"] in shown
    assert "objectives" in shown
    nothing = reported("status", tastemate(tmp_path / "no home", "status", "--json"))
    assert (nothing["last_run"], nothing["live"]) == (None, None)
    assert "name a source: tastemate run" in nothing["next"][0]
    there = tmp_path / "no home"
    assert hint(there, "run") in tastemate(there, "status").stdout
    assert not (tmp_path / "no home").exists()


@runs("slo")
def test_the_objectives_are_measured_and_an_interval_is_proposed(home: Home, report) -> None:
    done = tastemate(home.root, "slo", "--json", check=False)
    measured = reported("slo", done, done.returncode)
    assert done.returncode == (FAILED if any(one["met"] is False for one in measured) else 0)
    assert len(measured) >= len(report["slo"]) > 0
    proposed = reported("slo --interval", tastemate(home.root, "slo", "--interval", "--json"))
    assert proposed["table"] == "online"
    assert Path(proposed["picture"]).exists()


@runs("doctor")
def test_the_doctor_looks_at_everything(home: Home) -> None:
    done = tastemate(home.root, "doctor", "--json", check=False)
    found = reported("doctor", done, done.returncode)
    assert done.returncode == (0 if all(one["ok"] for one in found) else FAILED)
    assert {"packages", "what is live"} <= {one["what"] for one in found}


@runs("rebuild")
def test_a_day_that_a_run_published_comes_out_as_it_was(home: Home, report, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "again")]
    done = tastemate(home.root, "rebuild", "--as-of", report["as_of"], *out, "--json")
    found = reported("rebuild", done)
    assert found["holds"]
    assert found["run_id"] == report["run_id"]
    assert found["state_hash"] == report["state_hash"]


@runs("train")
def test_a_model_is_trained_and_its_training_set_can_be_taken_elsewhere(
    home: Home, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert str(elsewhere) in tastemate(home.root, "train", "--export", str(elsewhere)).stdout
    assert (elsewhere / "histories.parquet").exists()
    for said in ("epoch 1/", "already trained on this very set, nothing to do"):
        done = tastemate(home.root, "train", *TINY, "--seed", "1")
        assert said in done.stderr
        assert ("epoch 1/" in done.stderr) is (said == "epoch 1/")
        assert str(home.models) in done.stdout
        assert hint(home.root, "run") in done.stdout


@runs("evaluate")
def test_a_model_that_the_gate_refuses_is_told_whole_and_ends_with_3(home: Home) -> None:
    done = tastemate(home.root, "evaluate", "--gate", "--json", check=False)
    found = reported("evaluate", done, REFUSED)
    assert not found["passes"]
    assert all(reason in done.stderr for reason in found["refusals"])
    told = tastemate(home.root, "evaluate").stdout
    assert "The gate refuses it:" in told
    assert all(f"- {reason}" in told for reason in found["refusals"])


@pytest.fixture
def copied(home: Home, report) -> Iterator[str]:
    """A release whose content is not what its name says, for the time of a test."""
    name = "0" * 32
    folder = home.releases / name
    shutil.copytree(home.releases / report["release_id"], folder)
    for file, changed in (("card.json", {"release_id": name}), ("config.json", {"seed": 7})):
        told = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**told, **changed}))
    yield name
    shutil.rmtree(folder)


@runs("release ls", "release show", "release diff")
def test_releases_can_be_looked_at(home: Home, report, copied: str) -> None:
    live = report["release_id"]
    (kept,) = [
        one
        for one in reported("release ls", tastemate(home.root, "release", "ls", "--json"))
        if one["is_champion"]
    ]
    assert kept["release_id"] == live
    assert f"* {live}" in tastemate(home.root, "release", "ls").stdout
    card = reported("release show", tastemate(home.root, "release", "show", live, "--json"))
    assert (card["release_id"], card["kind"]) == (live, report["release_kind"])
    spoilt = tastemate(home.root, "release", "show", copied, "--json", check=False)
    assert (spoilt.returncode, spoilt.stdout) == (FAILED, "")
    assert "config.json" in spoilt.stderr
    between = ["release", "diff", live, copied]
    parted = reported("release diff", tastemate(home.root, *between, "--json"))
    assert {"what": "seed", "first": 0, "second": 7} in parted
    assert "seed: 0 -> 7" in tastemate(home.root, *between).stdout


@runs("release promote", "release rollback")
def test_only_a_whole_release_goes_live_and_there_is_none_to_go_back_to(
    home: Home, report, copied: str
) -> None:
    live = report["release_id"]
    done = tastemate(home.root, "release", "promote", live, "--reason", "a trial")
    assert f"Promoted: release {live}, index {report['index_id']}." in done.stdout
    assert "Nobody serves this home now" in done.stdout
    promote = ["release", "promote", live, "--reason", "a trial", "--json"]
    assert reported("release promote", tastemate(home.root, *promote))["servers"] == []
    assert json.loads(home.champion.read_text())["reason"] == "a trial"
    for refused, why in (
        (["promote", copied], "config.json"),
        (["rollback"], "the only release"),
    ):
        done = tastemate(home.root, "release", *refused, check=False)
        assert (done.returncode, done.stdout) == (REFUSED, "")
        assert why in done.stderr
    unknown = tastemate(home.root, "release", "promote", "nothing", check=False)
    assert unknown.returncode == FAILED


@runs("forget")
def test_the_proof_finds_who_is_there_and_nobody_else(home: Home, shown) -> None:
    _, demo = shown
    done = tastemate(home.root, "forget", demo["user_id"], "--prove", "--json", check=False)
    proof = reported("forget", done, FAILED)
    assert "vault.sqlite" in {one["place"] for one in proof["found"]}
    assert not proof["is_on_record"]
    nobody = ["forget", "nobody-at-all", "--json"]
    forgotten = reported("forget", tastemate(home.root, *nobody, check=False), FAILED)
    assert (forgotten["was_in"], forgotten["is_on_record"]) == ([], False)
    nobody.append("--even-if-unknown")
    forgotten = reported("forget", tastemate(home.root, *nobody))
    assert (forgotten["was_in"], forgotten["is_on_record"]) == ([], True)


@runs("who")
def test_whoever_holds_the_keys_learns_a_pseudonym(home: Home, shown, tmp_path: Path) -> None:
    _, demo = shown
    told = reported("who", tastemate(home.root, "who", demo["user_id"], "--json"))
    assert told["is_known"]
    users = pq.read_table(home.marts / "dim_users.parquet", columns=["user_id"])["user_id"]
    assert told["pseudonym"] in users.to_pylist()
    assert tastemate(home.root, "who", demo["user_id"]).stdout.strip() == told["pseudonym"]
    nobody = tastemate(home.root, "who", "nobody-at-all", check=False)
    assert (nobody.returncode, told["pseudonym"] in nobody.stdout) == (FAILED, False)
    keyless = tastemate(tmp_path / "other", "who", demo["user_id"], check=False)
    assert (keyless.returncode, keyless.stdout) == (FAILED, "")


@runs("env")
def test_a_shell_can_take_the_exports(tmp_path: Path) -> None:
    home = tmp_path / "it's a home"
    script = 'eval "$("$0" --home "$1" env)" && command -v dbt && printf %s "$TASTEMATE_HOME"'
    done = subprocess.run(
        ["sh", "-c", script, TASTEMATE, home], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{TASTEMATE.with_name('dbt')}\n{home}"


@runs("diff")
def test_tables_that_differ_end_with_1(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name, rows in (("a", "1,x\nnan,y\n"), ("b", "1,z\n")):
        (tmp_path / f"{name}.csv").write_text(f"key,value\n{rows}")
    differing = ["diff", "a.csv", "b.csv", "--key", "key"]
    found = reported("diff", tastemate(home, *differing, "--json", check=False), FAILED)
    assert found["examples"]["changed"] == [{"key": 1.0}]
    # NaN, of which JSON knows nothing.
    assert found["examples"]["deleted"] == [{"key": None}]
    same = tastemate(home, "diff", "a.csv", "a.csv", "--key", "key")
    assert "2 rows" in same.stdout
    missing = tastemate(home, "diff", "a.csv", "c.csv", "--key", "key", "--json", check=False)
    assert (missing.returncode, missing.stdout) == (FAILED, "")


@contextmanager
def _going_on(
    home: Home, *arguments: str, stdout: int | IO[bytes] = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """Start a verb that goes on until it is told to end; whatever it leaves behind is ended.

    With Ctrl-C ignored, as a script leaves it to what it starts beside itself.
    """
    with subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" "$@"', TASTEMATE, "--home", home.root, *arguments],
        stdout=stdout, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@runs("serve")
def test_what_is_live_is_served_until_the_service_is_told_to_end(home: Home, report, shown) -> None:
    _, demo = shown
    with _going_on(home, "serve", "--port", "0") as process:
        told = next(line for line in process.stdout if line.startswith("Serving on"))
        url = re.search(r"http://127\.0\.0\.1:\d+", told)[0]
        question = {"user_id": demo["user_id"], "limit": 3}
        answer = httpx.post(f"{url}/v1/recommend-places", json=question, timeout=30).json()
        assert answer["release_id"] == report["release_id"]
        assert len(answer["places"]) == 3
        port = int(url.rpartition(":")[2])
        status = reported("status", tastemate(home.root, "status", "--json"))
        # The process whose end ends the server: BentoML replaces a worker that ends.
        assert [(one["pid"], one["port"], one["release_id"]) for one in status["servers"]] == [
            (process.pid, port, report["release_id"])
        ]
        _a_promotion_tells_who_answers_with_what(home, port, report["release_id"])
        process.terminate()
        assert process.wait(60) == 0
        assert process.stdout.read() == "Stopping.\n"
    status = reported("status", tastemate(home.root, "status", "--json"))
    assert status["servers"] == []
    assert "nobody serves it on this computer: tastemate serve" in status["next"]


def _a_promotion_tells_who_answers_with_what(home: Home, port: int, served: str) -> None:
    """Serve on while another release goes live: the first one's content under another seed."""
    other = another_release(home)
    told = tastemate(home.root, "release", "promote", other).stdout
    assert f"port {port} (process " in told
    assert f"answers with release {served}, which is not live" in told
    again = hint(home.root, f"serve --port {port}")
    assert f"serve again, to answer with what is live: {again}" in told
    shown = tastemate(home.root, "status").stdout
    assert f"answers with release {served}, which is not live" in shown
    back = reported("release rollback", tastemate(home.root, "release", "rollback", "--json"))
    assert back["release_id"] == served
    assert [one["port"] for one in back["servers"]] == [port]
    assert "answers with what is live" in tastemate(home.root, "status").stdout


class Dagster(NamedTuple):
    """Dagster's page and daemon, as `tastemate dev` starts them."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        asked = {"query": query, "variables": variables}
        return dict(httpx.post(self.url, json=asked, timeout=60).json()["data"])

    def statuses(self) -> dict[str, str]:
        """Give the status of each run by its id, newest first."""
        told = self.ask("{runsOrError {... on Runs {results {runId status}}}}")
        return {run["runId"]: run["status"] for run in told["runsOrError"]["results"]}

    def wait_for(self, seconds: float, happens: Callable[[dict[str, str]], bool]) -> None:
        until = time.monotonic() + seconds
        while not happens(self.statuses()):
            assert time.monotonic() < until, self.statuses()
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_nobody_is_left(group: int) -> None:
    until = time.monotonic() + 60
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.killpg(group, 0)
            time.sleep(0.2)
        raise AssertionError(f"Of process group {group} somebody is left.")


@pytest.fixture(scope="module")
def dagster(home: Home) -> Iterator[Dagster]:
    port = _free_port()
    page = Dagster(f"http://127.0.0.1:{port}/graphql")
    log = home.root.parent / "dev.log"
    with (
        log.open("wb") as told,
        _going_on(home, "dev", "--port", str(port), stdout=told) as process,
    ):
        while True:
            assert process.poll() is None, log.read_text()
            try:
                page.ask("{version}")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield page
        process.terminate()
        process.wait(60)
        _wait_until_nobody_is_left(process.pid)


@runs("dev")
def test_dagsters_page_opens_with_the_whole_graph(dagster: Dagster) -> None:
    nodes = dagster.ask("{assetNodes {groupName}}")["assetNodes"]
    groups = {node["groupName"] for node in nodes}
    assert {"raw", "marts", "features", "online", "model", "release"} <= groups


LAUNCH = """mutation($job: ExecutionParams!) {
    launchRun(executionParams: $job) {__typename ... on LaunchRunSuccess {run {runId}}}
}"""


@runs()
@pytest.mark.parametrize(
    "verb",
    [["train", *TINY], ["evaluate"], ["ingest", *CITY], ["run", *CITY]],
    ids=lambda verb: verb[0],
)
def test_a_verb_that_is_killed_does_not_keep_dagster_waiting(
    home: Home, dagster: Dagster, verb: list[str]
) -> None:
    """A job that Dagster launches meanwhile waits no longer than the daemon takes to look."""
    before = set(dagster.statuses())
    with _going_on(home, *verb) as process:
        dagster.wait_for(60, lambda now: "STARTED" in now.values())
        os.killpg(process.pid, signal.SIGKILL)
    (killed,) = set(dagster.statuses()) - before
    assert dagster.statuses()[killed] == "STARTED"
    doctor = tastemate(home.root, "doctor", check=False)
    # Unless the daemon, which looks now and then, was there first.
    if dagster.statuses()[killed] == "STARTED":
        assert doctor.returncode == FAILED
        assert killed[:8] in doctor.stdout
        assert KILLED in doctor.stdout
    partition = {"key": "dagster/partition", "value": f"{now():%Y-%m-%d}"}
    job = {"repositoryLocationName": "orchestration.definitions",
           "repositoryName": "__repository__", "jobName": "land"}  # fmt: skip
    told = dagster.ask(LAUNCH, job={"selector": job, "executionMetadata": {"tags": [partition]}})
    launched = told["launchRun"]["run"]["runId"]
    dagster.wait_for(120, lambda now: now[launched] == "SUCCESS")
    assert dagster.statuses()[killed] == "FAILURE"


@runs("mlflow")
def test_mlflows_page_has_the_trainings_and_releases_of_the_home(
    home: Home, report, cannot_be_run
) -> None:
    port = _free_port()
    before = set(home.mlflow.iterdir())
    log = home.root.parent / "mlflow.log"
    with (
        log.open("wb") as told,
        _going_on(home, "mlflow", "--port", str(port), stdout=told) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as page,
    ):
        while True:
            if process.poll() is not None and "the network is needed, once" in log.read_text():
                cannot_be_run(log.read_text())
            assert process.poll() is None, log.read_text()
            try:
                if page.get("/health").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        assert '<div id="root"' in page.get("/").text
        asked = "/ajax-api/2.0/mlflow"
        experiment = page.get(
            f"{asked}/experiments/get-by-name", params={"experiment_name": "tastemate"}
        ).json()["experiment"]
        runs = page.post(
            f"{asked}/runs/search", json={"experiment_ids": [experiment["experiment_id"]]}
        ).json()["runs"]
        assert {run["info"]["status"] for run in runs} == {"FINISHED"}
        live = page.get(
            f"{asked}/registered-models/alias", params={"name": "tastemate", "alias": "champion"}
        ).json()["model_version"]
        tags = {tag["key"]: tag["value"] for tag in live["tags"]}
        assert tags["release_id"] == report["release_id"]
        process.terminate()
        process.wait(60)
        _wait_until_nobody_is_left(process.pid)
    assert set(home.mlflow.iterdir()) == before
