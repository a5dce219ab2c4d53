"""The page of the second day, typed from its first command to its last, on a small city."""

import json
import os
import re
import shlex
import subprocess
from typing import NamedTuple

import pytest

from models_ml.data.leakage import LearnedFrom, refuse_what_was_learned
from models_ml.data.split import split
from models_ml.data.training_set import read_training_set
from orchestration.model.store import current_model, current_training_set, record_of
from orchestration.release.live import promote
from serving import champion
from serving.champion import Champion
from serving.home import Home
from tests.command import ROOT, TASTEMATE, conserved
from tests.made import another_release
from tests.sample_city import make_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PAGE = (ROOT / "docs" / "how-to" / "the-second-day.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EVENTS = "3000"


class Typed(NamedTuple):
    """What a command printed, and what was live after it."""

    stdout: str
    stderr: str
    live: Champion


class Played(NamedTuple):
    """The home after the last command, what was typed, and what the first model learned from."""

    home: Home
    typed: list[tuple[str, Typed]]
    learned: list[LearnedFrom]

    def of(self, command: str) -> list[Typed]:
        return [typed for told, typed in self.typed if told == command]


def commands() -> list[list[str]]:
    """Every command of the page, in its order."""
    typed = []
    for language, block in BLOCKS:
        lines = block.splitlines()
        typed += [["python", "-c", block]] if language == "python" else map(shlex.split, lines)
    return typed


def as_typed_here(words: list[str], home: Home) -> list[str]:
    """The small city instead of the large one, and releases by their ids."""
    if words[1:] == ["demo"]:
        return [*words, "--events", EVENTS]
    names = dict(zip(("OLD", "NEW"), were_live(home), strict=False))
    return [names.get(word, word) for word in words]


def were_live(home: Home) -> list[str]:
    return list(dict.fromkeys(one.release_id for one in champion.log(home)))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("second day")
    home = Home(folder / ".tastemate")
    make_city(home, int(EVENTS))
    path = f"{TASTEMATE.parent}{os.pathsep}{os.environ['PATH']}"
    typed: list[tuple[str, Typed]] = []
    learned: list[LearnedFrom] = []
    for words in commands():
        if words[1:] == ["release", "ls"] and len(were_live(home)) == 1:
            # In so small a city it is luck whether something better than what is live was found.
            promote(home, another_release(home), "a trial")
        done = subprocess.run(
            as_typed_here(words, home), cwd=folder, env={**os.environ, "PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr[-4000:])
        told = Typed(done.stdout, done.stderr, champion.read(home))
        typed.append((" ".join(words[1:]), told))
        learned = learned or list(record_of(current_model(home)).learned_from or [])
    return Played(home, typed, learned)


def test_each_day_lands_as_it_was_announced(played: Played) -> None:
    days = played.of("sample next-day")
    assert [re.search(r"^Day (\d)", one.stdout)[1] for one in days] == list("12345")
    report = json.loads(played.home.report().read_text())
    assert conserved(report)
    landed = {file["name"]: file for file in report["files"]}
    announced = re.findall(
        r"^  (\S+jsonl) +(\d+) lines?: (.*)$", "\n".join(one.stdout for one in days), re.MULTILINE
    )
    assert len(announced) == 3 * len(days)
    for name, lines, told in announced:
        counts = {what: int(count) for count, what in re.findall(r"(\d+) ([a-z ]+)", told)}
        assert landed[name]["lines_in"] == int(lines) == sum(counts.values())
        assert landed[name]["duplicates"] == counts.get("repeated", 0)
        assert landed[name]["quarantined"] == counts.get("unfit", 0)


def test_what_came_late_and_what_was_corrected_is_in_the_marts(played: Played) -> None:
    (marts,) = (typed for told, typed in played.typed if told.startswith("-c"))
    days = re.findall(r"│ (\d{4}-\d\d-\d\d) +│ +(\d+) │", marts.stdout)
    assert days[-1][0] == "2026-07-01"
    late = [day for day, _ in days if "2026-06-25" < day < "2026-07-01"]
    corrected = [day for day, _ in days if day < "2026-06-01"]
    assert late
    assert corrected


def test_one_day_is_too_little_to_train_on_and_the_release_stays(played: Played) -> None:
    (demo,), (second, _) = played.of("demo"), played.of("run")
    assert "not trained anew: " in second.stderr
    assert "(5.0% would call for it)" in second.stderr
    assert "too few new events to look for drift" in second.stderr
    assert second.live.release_id == demo.live.release_id
    assert second.live.index_id != demo.live.index_id


def test_some_days_call_for_a_training_that_no_change_stands_against(played: Played) -> None:
    _, later = played.of("run")
    assert re.search(r"trained (on from the last model|from scratch): ", later.stderr)
    assert "new events, more than 5.0%" in later.stderr
    # Late lines, corrections and deletions are of a kind that lets a training go on.
    newest = current_training_set(played.home).folder
    assert played.learned
    refuse_what_was_learned(newest, split(read_training_set(newest)), played.learned)


def test_what_is_live_goes_back_and_forth(played: Played) -> None:
    (first,), (listed,) = played.of("demo"), played.of("release ls")
    old, new = first.live.release_id, listed.live.release_id
    assert old != new
    assert f"* {new}" in listed.stdout
    assert f"  {old}" in listed.stdout
    (told,) = played.of("release diff OLD NEW")
    assert " -> " in told.stdout
    back, forth = played.of("release rollback")
    assert [back.live.release_id, forth.live.release_id] == [old, new]
    assert back.live.release_id in played.of("status")[1].stdout
