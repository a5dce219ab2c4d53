"""A bento that is begun beside other work; that it is whole, `test_service.py` asks for."""

import threading
from pathlib import Path

import pytest

from serving import bento
from serving.home import Home


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_could_not_be_made_beside_is_left_to_who_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fails(home: Home, release_id: str) -> str:
        asked.append((home, release_id))
        raise bento.BentoError("no room")

    home = Home(tmp_path)
    monkeypatch.setattr(bento, "build", fails)
    bento.build_ahead(home, "r")
    for thread in threading.enumerate():
        if thread.name == "bento":
            thread.join()
    assert asked == [(home, "r")]
