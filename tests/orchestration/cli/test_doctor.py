"""What `tastemate doctor` says of a home: what is wrong, and no secrets."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import redis

from feature_repo import lock
from feature_repo.layout import Layout
from orchestration.cli import doctor
from orchestration.cli.doctor import Finding, examine
from serving.home import Home
from tests.feature_repo.conftest import World

Found = Callable[[str], dict[str, Finding]]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Found:
    """Examine a home with the given online store; findings by what was looked at."""

    def found(online: str) -> dict[str, Finding]:
        world = World(tmp_path).write()
        lock.accept(world.root, world.lock)
        monkeypatch.setattr("orchestration.warehouse.dbt_command.ensure_manifest", lambda _: None)
        monkeypatch.setattr(lock, "plan", partial(lock.plan, lock=world.lock))
        monkeypatch.setenv("TASTEMATE_ONLINE", online)
        return {finding.what: finding for finding in examine(Home(tmp_path))}

    return found


def test_an_empty_home_is_well(found: Found) -> None:
    findings = found("")
    assert [what for what, finding in findings.items() if not finding.ok] == []
    assert "none yet" in findings["sources"].detail


@pytest.mark.redis
def test_the_address_of_the_online_store_is_told_without_its_password(
    found: Found, redis_server
) -> None:
    address = f"127.0.0.1:{redis_server.port}"
    client = redis.Redis(port=redis_server.port)
    client.acl_setuser("guest", enabled=True, passwords=["+sesame"], categories=["+@all"], keys="*")
    finding = found(f"redis://guest:sesame@{address}/0")["online store"]
    assert finding == Finding("online store", ok=True, detail=f"redis:{address},db=0")


def test_an_online_store_that_is_away_is_told(found: Found) -> None:
    finding = found("redis://default:sesame@127.0.0.1:1/0")["online store"]
    assert not finding.ok
    assert "127.0.0.1:1" in finding.detail
    assert "sesame" not in finding.detail


def test_a_damaged_online_store_is_told_with_what_mends_it(found: Found, tmp_path: Path) -> None:
    file = Layout(tmp_path).online_store
    file.parent.mkdir(parents=True)
    file.write_bytes(b"This is no database, though it is long enough to look like one. " * 64)
    finding = found("")["online store"]
    assert not finding.ok
    assert "The file is damaged" in finding.detail
    assert "tastemate materialize" in finding.detail


def test_a_source_that_is_gone_is_named(found: Found, tmp_path: Path) -> None:
    from orchestration.landing.registered import register, resolve

    documents = tmp_path / "elsewhere"
    documents.mkdir()
    (documents / "likes.jsonl").write_text("{}\n")
    (tmp_path / "state").mkdir(exist_ok=True)
    register(Home(tmp_path), resolve("sample", documents, None))
    (documents / "likes.jsonl").unlink()
    documents.rmdir()
    finding = found("")["sources"]
    assert not finding.ok
    assert "elsewhere" in finding.detail


def test_too_little_room_is_told(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_GB", 10**9)
    assert not found("")["disk"].ok
