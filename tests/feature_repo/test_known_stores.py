"""Which online stores a home has ever published to."""

from pathlib import Path

import pytest

from feature_repo.known_stores import (
    KnownStore,
    KnownStoresError,
    fingerprint,
    known_stores,
    remember,
)
from feature_repo.layout import Layout
from feature_repo.settings import store_identity

REDIS = "redis://user:secret@redis.example:6380/2"


def published(home: Path, identity: str) -> None:
    path = Layout(home).published_rows("user_favor", fingerprint(identity))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_each_store_is_remembered_once_with_its_newest_address(tmp_path: Path) -> None:
    identity = store_identity(tmp_path, REDIS)
    assert identity == "redis:redis.example:6380,db=2"
    remember(tmp_path, identity, REDIS)
    newer = REDIS.replace("secret", "another")
    remember(tmp_path, identity, newer)
    assert known_stores(tmp_path) == [KnownStore(identity, newer)]
    assert Layout(tmp_path).online_stores.stat().st_mode & 0o077 == 0


def test_what_earlier_versions_left_is_recognised_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMATE_ONLINE", REDIS)
    here, used = store_identity(tmp_path, ""), store_identity(tmp_path, REDIS)
    for identity in (here, used, "redis:elsewhere:6379,db=0"):
        published(tmp_path, identity)
    assert known_stores(tmp_path) == [
        KnownStore(used, REDIS),
        KnownStore(here, ""),
        KnownStore(f"fingerprint {fingerprint('redis:elsewhere:6379,db=0')}", None),
    ]


def test_a_home_that_was_moved_knows_its_own_store(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    identity = store_identity(before, "")
    remember(before, identity, "")
    published(before, identity)
    before.rename(after)
    assert known_stores(after) == [KnownStore(store_identity(after, ""), "")]


def test_a_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    path = Layout(tmp_path).online_stores
    path.parent.mkdir()
    path.write_text("[]")
    with pytest.raises(KnownStoresError, match=str(path)):
        known_stores(tmp_path)
