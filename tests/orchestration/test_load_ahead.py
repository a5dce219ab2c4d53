"""What is loaded beside dbt is there, and what ends a run ends the loading."""

import importlib.util

import pytest

from orchestration.steps import load_ahead


def test_what_is_loaded_ahead_is_there() -> None:
    assert all(importlib.util.find_spec(name) for name in load_ahead._NEEDED)


def test_who_is_asked_to_end_loads_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(load_ahead.importlib, "import_module", loaded.append)
    monkeypatch.setattr(load_ahead, "was_asked_to_end", lambda: len(loaded) == 2)
    load_ahead._load()
    assert tuple(loaded) == load_ahead._NEEDED[:2]
