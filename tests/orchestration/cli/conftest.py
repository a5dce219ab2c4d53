"""What the tests of verbs share: the home of a small demo, made once."""

from typing import Any

import pytest

from serving.home import Home
from tests.command import tastemate
from tests.orchestration.cli.reported import reported
from tests.sample_city import make_city

Shown = tuple[Home, dict[str, Any]]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A home after the demo, and what the demo said."""
    home = Home(tmp_path_factory.mktemp("verbs") / "a home")
    make_city(home, 1000)
    done = tastemate(home.root, "demo", "--events", "1000", "--json")
    assert "✓ elt" in done.stderr
    return home, reported("demo", done)


@pytest.fixture(scope="session")
def home(shown: Shown) -> Home:
    return shown[0]


@pytest.fixture(scope="session")
def report(shown: Shown) -> dict[str, Any]:
    return dict(shown[1]["report"])
