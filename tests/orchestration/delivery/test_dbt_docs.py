"""dbt's page is made once, whoever begins with it."""

import threading
from pathlib import Path

import pytest

from orchestration.delivery import dbt_docs
from orchestration.warehouse.dbt_command import DbtError
from serving.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(dbt_docs, "ensure_manifest", lambda _: None)
    return Home(tmp_path)


def test_the_step_waits_for_what_has_begun_beside_others(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, may_end, made = threading.Event(), threading.Event(), []

    def run_dbt(home: Home, *arguments: str, **_: object) -> None:
        started.set()
        may_end.wait(10)
        made.append(arguments)
        home.dbt_page.parent.mkdir(parents=True, exist_ok=True)
        home.dbt_page.write_text("the page")

    monkeypatch.setattr(dbt_docs, "run_dbt", run_dbt)
    dbt_docs.publish_docs_ahead(home)
    assert started.wait(10)
    threading.Timer(0.1, may_end.set).start()
    assert dbt_docs.publish_docs(home) is False
    assert home.docs_page.read_text() == "the page"
    assert len(made) == 1


def test_what_failed_beside_others_is_tried_and_told_by_the_step(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_dbt(*_: object, **__: object) -> None:
        raise DbtError("dbt docs: no")

    monkeypatch.setattr(dbt_docs, "run_dbt", run_dbt)
    dbt_docs.publish_docs_ahead(home)
    with pytest.raises(DbtError, match="no"):
        dbt_docs.publish_docs(home)
