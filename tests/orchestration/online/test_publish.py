"""Publishing as the run does it: compared at once, mended once, and remembered."""

import json
from pathlib import Path

import pytest

from feature_repo.contract import read_views
from feature_repo.online import open_online
from feature_repo.settings import open_store
from orchestration.online.publish import compare, last_comparison, publish_and_compare
from serving.home import Home
from tests.feature_repo.conftest import World


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("TASTEMATE_ONLINE", raising=False)
    World(tmp_path).apply()
    return Home(tmp_path)


def remove_by_hand(home: Home, user: str) -> None:
    view = next(view for view in read_views(home.root) if view.name == "user_favor")
    open_online(open_store(home.root)).delete(view, [user])


def checks(home: Home) -> list[tuple[int, int, bool]]:
    lines = map(json.loads, home.check_log.read_text().splitlines())
    return [(line["rows"], line["wrong"], line["is_right_after"]) for line in lines]


def test_what_is_published_is_compared_and_the_figures_are_kept(home: Home) -> None:
    done = publish_and_compare(home)
    assert (done.holds, done.keys, done.rows, done.unchanged) == (True, 7, 7, 0)
    kept = last_comparison(home).read()
    assert kept is not None
    assert (kept.holds, kept.keys) == (True, 7)
    assert publish_and_compare(home).unchanged == 7


def test_a_store_that_somebody_wrote_to_is_mended_and_it_is_remembered(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_and_compare(home)
    remove_by_hand(home, "u0")
    done = publish_and_compare(home)
    assert (done.holds, done.missing, done.rows) == (True, 0, 7)
    assert "publishing every row anew" in capsys.readouterr().err
    assert checks(home) == [(7, 0, True), (7, 1, True)]


def test_a_comparison_alone_mends_nothing(home: Home) -> None:
    publish_and_compare(home)
    remove_by_hand(home, "u0")
    compared = compare(home)
    assert (compared.holds, compared.missing) == (False, 1)
    assert compared.examples == ["user_favor 'u0' is not online"]
    assert not compare(home).holds
    assert checks(home)[1:] == [(7, 1, False), (7, 1, False)]
