from os.path import expandvars
from pathlib import Path
from urllib.parse import quote

import pytest
from feast.infra.online_stores.redis import RedisOnlineStore
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.settings import SettingsError, redis_connection, write_feature_store_yaml


def test_settings_are_written_only_when_they_change(tmp_path: Path) -> None:
    path = write_feature_store_yaml(tmp_path, "")
    written = path.stat()
    assert write_feature_store_yaml(tmp_path, "").stat().st_ino == written.st_ino
    assert "sqlite" in path.read_text()
    write_feature_store_yaml(tmp_path, "redis://127.0.0.1:7000/3")
    assert "127.0.0.1:7000,db=3,socket_timeout" in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["feature_store.yaml"]
    assert path.stat().st_mode & 0o077 == 0


def test_the_environment_chooses_the_online_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMATE_ONLINE", "redis://127.0.0.1:7001")
    assert "127.0.0.1:7001,db=0" in write_feature_store_yaml(tmp_path).read_text()


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://x:1/0", "redis://x/one", "redis://"])
def test_what_is_no_redis_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="redis://host:port/db"):
        redis_connection(url, 1)


def test_a_refused_address_does_not_tell_its_password() -> None:
    with pytest.raises(SettingsError) as refused:
        redis_connection("redis://me:secret@host/one", 1)
    assert "secret" not in str(refused.value)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_password_reaches_redis_as_it_is(password: str) -> None:
    written = redis_connection(f"rediss://me:{quote(password, safe='')}@127.0.0.1:6380/2", 0.5)
    nodes, settings = RedisOnlineStore._parse_connection_string(expandvars(written))
    assert nodes == [{"host": "127.0.0.1", "port": "6380"}]
    assert settings == {
        "db": 2,
        "ssl": True,
        "username": "me",
        "password": password,
        "socket_timeout": 0.5,
        "socket_connect_timeout": 0.5,
        "retry": None,
    }
