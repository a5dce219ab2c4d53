"""The sample city of tests: its year ends on the same day, whenever the tests are run."""

import os
from pathlib import Path
from unittest.mock import patch

from orchestration.sample import home_city
from serving.home import Home

MADE = "2026-07-06T12:00:00Z"


def make_city(home: Home, events: int) -> Path:
    """Make the home's city, which verbs then find there; return its documents."""
    with patch.dict(os.environ, {"TASTEMATE_NOW": MADE}):
        return home_city.make(home, events=events, seed=0)
