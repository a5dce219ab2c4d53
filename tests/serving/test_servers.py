"""The notes of who serves a home."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from serving.home import Home
from serving.servers import announce, running


def test_a_process_that_serves_is_listed_with_its_release(tmp_path: Path) -> None:
    home = Home(tmp_path)
    announce(home, "a-release")
    (note,) = running(home)
    assert (note.pid, note.release_id, note.is_here) == (os.getpid(), "a-release", True)


def test_who_has_ended_is_listed_no_more_and_the_note_goes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    announce(home, "a-release")
    (note,) = running(home)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    ended = [replace(note, pid=process.pid), replace(note, began_at=note.began_at - 60)]
    for number, one in enumerate(ended):
        (home.servers / f"ended-{number}.json").write_text(json.dumps(asdict(one)))
    (home.servers / "of-a-later-version.json").write_text('{"address": 1}')
    assert running(home) == [note]
    assert not list(home.servers.glob("ended-*"))


def test_of_another_computer_nothing_is_known_but_what_the_note_says(tmp_path: Path) -> None:
    home = Home(tmp_path)
    announce(home, "a-release")
    (note,) = running(home)
    elsewhere = replace(note, host="elsewhere", pid=1, began_at=0.0)
    home.server_note(elsewhere.host, elsewhere.pid).write_text(json.dumps(asdict(elsewhere)))
    assert elsewhere in running(home)
    assert not elsewhere.is_here


def test_a_home_that_cannot_be_written_to_is_served_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("serving.servers.LOG.warning", lambda text, *_: told.append(text))
    home = Home(tmp_path / "a-file")
    home.root.write_text("")
    announce(home, "a-release")
    (text,) = told
    assert "no note could be left" in text
