"""Forgotten people: gone from every store, and not brought back by what was known before."""

import gzip
import json
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
import yaml

from feature_repo.known_stores import fingerprint, known_stores, remember
from feature_repo.layout import Layout
from feature_repo.settings import store_identity
from models_ml.typed_json import json_text, plain
from orchestration.cli.output import FAILED
from orchestration.delivery.analyst_copy import publish_copy
from orchestration.forgetting import derived
from orchestration.forgetting import forget as forgetting
from orchestration.forgetting.forget import Forgotten, forget
from orchestration.forgetting.person import Person
from orchestration.forgetting.proof import prove
from orchestration.forgetting.report import sentences
from orchestration.home.environment import enter
from orchestration.landing import land, load_mapping, recover
from orchestration.landing.archive import quarantined_lines
from orchestration.landing.mapping import SAMPLE
from orchestration.landing.registered import sentence
from orchestration.landing.tombstones import Tombstones
from orchestration.warehouse.rebuild import moment_of, rebuild
from orchestration.warehouse.state_hash import remember_published
from serving.home import Home
from serving.vault import Vault
from tests.command import tastemate

ID, OTHER = "user-1042", "user-1043"
LANDED, ASKED, LATER = (f"2026-07-0{day}T08:00:00+00:00" for day in (1, 2, 3))


def like(number: int, user: object, **more: Any) -> str:
    told = {"_id": f"{number:024x}", "user_id": user, "contents_id": f"p{number % 3}"}
    return json.dumps(told | {"like_time": "2026-06-01T00:00:00Z"} | more) + "\n"


LIKES = [
    *(like(number, ID) for number in range(3)),
    *(like(10 + number, OTHER) for number in range(3)),
    like(20, OTHER, note=f"was there with {ID}, not with {ID}9"),
    '{"_id": "broken", "user_id": "' + ID + '", "contents_id"\n',
    '{"_id": "broken", "user_id": "' + OTHER + '", "contents_id"\n',
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("TASTEMATE_KEYS", "TASTEMATE_ONLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TASTEMATE_NOW", LANDED)
    home = Home(tmp_path / "home")
    enter(home)
    landed(home, tmp_path / "first", LIKES)
    monkeypatch.setenv("TASTEMATE_NOW", ASKED)
    return home


def landed(home: Home, folder: Path, lines: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "likes.jsonl").write_text("".join(lines))
    land(home, SAMPLE, folder)


def archive(home: Home) -> list[dict[str, Any]]:
    rows = duckdb.sql(
        f"from read_parquet('{home.lines}/**/*.parquet') order by file_id, line_number"
    )
    return rows.to_arrow_table().to_pylist()


def erased(home: Home) -> list[int]:
    return [row["line_number"] for row in archive(home) if row["landing_reason"] == "erased"]


def people(home: Home) -> set[str]:
    with closing(Vault(home)) as vault:
        pseudonyms = [row["user_id"] for row in archive(home) if row["user_id"]]
        return set(vault.reveal(pseudonyms).values())


def plant(home: Home) -> set[str]:
    """Put the person wherever else a home can hold one; tell where."""
    person = Person.of(home, ID)
    for path in (home.training_sets / "abc", home.root / "rebuilds" / "day" / "marts"):
        path.mkdir(parents=True)
        table = pa.table({"user_id": [person.pseudonym], "told": [[{"who": "x"}]]})
        pq.write_table(table, path / "histories.parquet")
    (home.state / "training_set.json").write_text('{"folder": "abc"}')
    with closing(sqlite3.connect(home.dagster / "runs.db")) as database, database:
        database.execute("create table events (body text, kept integer)")
        database.execute("insert into events values (?, 1)", (f"{person.pseudonym} twice",))
    (home.bentoml / "logs").mkdir()
    (home.bentoml / "logs" / "serve.log").write_text(f"who is {ID}?\nwho is {OTHER}?\n")
    (home.reports / "run-1.md").write_text(f"user_id {person.pseudonym}")
    return {
        "training_sets/abc/histories.parquet", "rebuilds/day/marts/histories.parquet",
        "dagster/runs.db", "bentoml/logs/serve.log", "reports/run-1.md", "vault.sqlite",
    }  # fmt: skip


def test_a_forgotten_person_is_in_no_store_and_everybody_else_in_all(home: Home) -> None:
    before = archive(home)
    planted = plant(home)
    done = forget(home, ID)
    places = {found.place for found in done.was_in}
    assert planted < places
    assert {place.partition("/")[0] for place in places - planted} == {"raw", "quarantine"}
    assert done.proof.holds, done.proof.found
    assert (done.erased.lines, done.erased.quarantined, done.erased.mentions) == (4, 1, 1)
    assert erased(home) == [1, 2, 3, 8]
    after = archive(home)
    assert [row["line_number"] for row in after] == [row["line_number"] for row in before]
    assert after[3:6] + after[8:] == before[3:6] + before[8:]
    assert json.loads(after[6]["doc"])["note"] == f"was there with null, not with {ID}9"
    assert all(row["doc"] is None and row["user_id"] is None for row in [*after[:3], after[7]])
    (kept,) = home.quarantine.rglob("*.parquet")
    assert [number for number, _ in quarantined_lines(home, kept)] == [9]
    assert people(home) == {OTHER}
    log = (home.bentoml / "logs" / "serve.log").read_text()
    assert log == f"who is {'x' * len(ID)}?\nwho is {OTHER}?\n"
    assert not (home.state / "training_set.json").exists()
    told = sentences(done, done.proof) + json_text(done)
    assert not Person.of(home, ID).traces(told.encode())


def test_a_name_that_is_an_id_is_blotted_out_of_the_ledger(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "named"
    folder.mkdir()
    document = like(30, OTHER, friends={ID: True, OTHER: True})
    (folder / f"likes-{ID}.jsonl").write_text(document)
    land(home, SAMPLE, folder)
    assert forget(home, ID).proof.holds
    paths = pq.read_table(home.landed_fields)["path"].to_pylist()
    assert {path for path in paths if path.startswith("friends.")} == {
        f"friends.{'x' * len(ID)}", f"friends.{OTHER}",
    }  # fmt: skip


STEPS = [
    (forgetting, "blot_out"), (forgetting, "erase_lines"), (derived, "take_out_of_indexes"),
    (derived, "remove_rebuilds"), (derived, "remove_training_sets"), (derived, "build_anew"),
    (derived, "publish_anew"), (forgetting, "prove"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
def test_the_same_command_completes_what_was_killed(
    home: Home, module: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(home)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            forget(home, ID)
    assert forget(home, ID).proof.holds
    assert erased(home) == [1, 2, 3, 8]
    assert not (home.state / "forgetting").exists()


def test_an_archive_that_is_put_back_does_not_bring_them_back(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(home.root, tmp_path / "copy")
    forget(home, ID)
    for name in ("raw", "vault.sqlite"):
        back = copy / name
        if back.is_dir():
            shutil.copytree(back, home.raw, dirs_exist_ok=True)
        else:
            shutil.copy(back, home.vault)
    monkeypatch.setenv("TASTEMATE_NOW", LATER)
    recover(home)
    assert erased(home) == [1, 2, 3]
    assert people(home) == {OTHER}
    with closing(Vault(home)) as vault:
        assert not vault.reveal([Person.of(home, ID).pseudonym])


def test_who_comes_back_later_is_a_new_person(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(home, ID)
    landed(home, tmp_path / "same", LIKES)
    assert people(home) == {OTHER}
    monkeypatch.setenv("TASTEMATE_NOW", LATER)
    landed(home, tmp_path / "later", [like(99, ID)])
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "likes.jsonl").write_text(like(98, ID) + like(97, OTHER))
    (file,) = land(home, SAMPLE, tmp_path / "again")
    assert file.returned == 1
    assert "1 who had been forgotten" in sentence(file)
    recover(home)
    assert people(home) == {ID, OTHER}
    assert erased(home) == [1, 2, 3, 8]


def test_a_first_bulk_load_speaks_of_the_past_however_late_it_lands(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(home, ID)
    monkeypatch.setenv("TASTEMATE_NOW", LATER)
    mapping = tmp_path / "shops.yml"
    mapping.write_text(yaml.safe_dump({
        "source": "shops", "format": "csv",
        "events": {"file": "log.csv", "user": "buyer", "place": "shop", "kind": "visit",
                   "order": "number"},
    }))  # fmt: skip
    (tmp_path / "log.csv").write_text(f"buyer,shop,number\n{ID},s1,1\n{OTHER},s1,2\n{ID},s1\n")
    land(home, load_mapping(mapping), tmp_path / "log.csv")
    reasons = [row["landing_reason"] for row in archive(home) if row["source"] == "shops"]
    assert sorted(map(str, reasons)) == ["None", "erased", "wrong_field_count"]
    assert people(home) == {OTHER}


def test_an_id_that_could_be_anything_counts_where_a_users_id_stands() -> None:
    person = Person("17", "ab" * 16, frozenset({"buyer"}))
    names = ['"user_id": 17', '"buyer":{"$numberLong":"17"}', "friend_user_id=17", "ab" * 16]
    others = ['"rating": 17', "user_id 170", "user_id: 17.5", "117", "per_buyer: 17", "2024-02-17"]
    assert all(person.traces(text.encode()) for text in names)
    assert not any(person.traces(text.encode()) for text in others)
    assert json.loads(person.masked('{"user_id": 17, "rating": 17}')) == {
        "user_id": None, "rating": 17,
    }  # fmt: skip
    assert person.traces_of_unreadable(b"17,s1,3")
    assert not person.traces_of_unreadable(b"170,s1,2024-02-17")
    assert Person("user-17 \N{SNOWMAN}", "ab" * 16).traces(rb'x "user-17 \u2603" y')


def test_the_proof_decodes_what_bytes_hide(home: Home) -> None:
    person = Person.of(home, ID)
    home.warehouse.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(home.warehouse)) as database:
        database.execute("create schema marts")
        database.execute(
            "create table marts.people as select {'who': [$who]} as told from range(5000)",
            {"who": person.pseudonym},
        )
    with gzip.open(home.dbt / "old.gz", "wt") as packed:
        packed.write(f"user {ID}")
    (home.reports / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    found = {(found.place, found.what) for found in prove(home, person).found}
    assert ("warehouse/warehouse.duckdb", "pseudonym") in found
    assert ("dbt/old.gz", "id") in found
    assert ("vault.sqlite", "id") in found
    assert ("reports/broken.parquet", "not decoded: ArrowInvalid") in found


def test_an_mlflow_server_is_named_as_not_searched(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person.of(home, "nobody-at-all")
    assert "the MLflow server" not in prove(home, person).left_out
    monkeypatch.setenv("TASTEMATE_MLFLOW", "http://127.0.0.1:9")
    told = sentences(None, prove(home, person))
    assert "Not searched: the MLflow server: it is told settings and figures" in told


def test_for_a_stranger_nothing_is_done_unless_told_to(home: Home) -> None:
    """The id may be a slip, and the person still be there."""
    before = archive(home)
    done = forget(home, "nobody-at-all")
    assert isinstance(done, Forgotten)
    assert done.proof.holds
    assert not done.was_in
    assert not home.tombstones.exists()
    told = sentences(done, done.proof, is_on_record=False)
    assert "Nothing was done" in told
    assert "whether the id is as the product writes it" in told
    done = forget(home, "nobody-at-all", even_if_unknown=True)
    assert archive(home) == before
    assert Person.of(home, "nobody-at-all").pseudonym in Tombstones(home)
    assert "What was known before now will be refused." in sentences(done, done.proof)


def test_whoever_is_forgotten_once_more_is_no_stranger(home: Home) -> None:
    forget(home, ID)
    done = forget(home, ID)
    assert (done.was_in, done.proof.holds) == ([], True)
    assert "will be refused" in sentences(done, done.proof)


def test_a_proof_of_somebody_who_was_never_forgotten_says_so(home: Home) -> None:
    person = Person.of(home, "nobody-at-al")
    assert person.pseudonym not in Tombstones(home)
    forget(home, "nobody-at-all", even_if_unknown=True)
    assert person.pseudonym not in Tombstones(home)
    assert Person.of(home, "nobody-at-all").pseudonym in Tombstones(home)
    told = sentences(None, prove(home, person), is_on_record=False)
    assert "whether the id is as the product writes it" in told


def test_a_store_that_is_away_is_named_and_nothing_is_proven(home: Home) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"redis://:a-secret@127.0.0.1:{nobody.getsockname()[1]}/3"
    identity = store_identity(home.root, url)
    remember(home.root, identity, url)
    done = tastemate(home.root, "forget", ID, "--json", check=False)
    assert done.returncode == FAILED
    told = json.loads(done.stdout)
    assert set(told["proof"]["not_reached"]) == {identity}
    assert (told["proof"]["holds"], told["proof"]["found"]) == (False, [])
    # Another that was in use when no addresses were kept.
    unknown = fingerprint("redis:elsewhere,db=0")
    earlier = Layout(home.root).published_rows("user_favor", unknown)
    earlier.parent.mkdir(parents=True)
    earlier.touch()
    again = tastemate(home.root, "forget", ID, "--prove", check=False)
    assert again.returncode == FAILED
    assert f"NOT REACHED: {identity}" in again.stdout
    assert f"NOT REACHED: fingerprint {unknown}" in again.stdout
    assert "a-secret" not in done.stdout + again.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("online", ["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def test_what_was_made_from_them_is_made_without_them(
    home: Home, online: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command, on a home with marts, features and an online store."""
    monkeypatch.delenv("TASTEMATE_NOW")
    for verb in ("build", "apply", "materialize"):
        tastemate(home.root, verb)
    # In use one after the other; the last of them is the one that is live.
    databases = [0, 2, 1] if online == "redis" else []
    if databases:
        url = request.getfixturevalue("redis_server").url
        # Other tests have put keys of theirs there, which publishing would not take offline.
        with closing(redis.Redis.from_url(url)) as server:
            server.flushall()
        for database in databases:
            monkeypatch.setenv("TASTEMATE_ONLINE", url.removesuffix("0") + str(database))
            tastemate(home.root, "materialize")
    names = {store.identity for store in known_stores(home.root) if store.url}
    assert len(names) == len(databases)
    publish_copy(home)
    state = remember_published(home)
    (home.reports / "run-1.json").write_text(json.dumps({"run_id": "1", "state": plain(state)}))
    done = tastemate(home.root, "forget", ID, "--json", check=False)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    told = json.loads(done.stdout)
    stores = {found["place"].partition("/")[0] for found in told["was_in"]}
    assert {
        "raw",
        "quarantine",
        "vault.sqlite",
        "warehouse",
        "marts",
        "features",
        "feast",
        "analysts",
        *names,
    } <= stores
    assert "feast/online.db" in {found["place"] for found in told["was_in"]}
    assert told["proof"]["holds"]
    assert names <= set(told["proof"]["searched"])
    (file,) = pq.read_table(home.marts / "fct_landed_files.parquet").to_pylist()
    counts = [file[name] for name in ("accepted", "duplicates", "quarantined", "erased")]
    assert (sum(counts), counts) == (file["lines_in"], [4, 0, 1, 4])
    assert pq.read_metadata(home.features / "user_favor.parquet").num_rows >= 1
    assert json.loads((home.state / "parity.json").read_text())["holds"]
    again = rebuild(home, moment_of(state.as_of))
    assert again.differing
    assert (again.holds, again.forgotten_since) == (True, 1)
    assert prove(home, Person.of(home, ID)).holds
    # Where the other one still is, nobody is who has been forgotten.
    held = prove(home, Person.of(home, OTHER)).found
    assert {*names, "feast/online.db"} <= {found.place for found in held}
