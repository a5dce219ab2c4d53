"""The small form of tests/kills_mart.py."""

from pathlib import Path

import pytest

from tests.kills_mart import survive


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ingest_and_build_survive_kills(tmp_path: Path) -> None:
    survive(tmp_path, kills=2)
