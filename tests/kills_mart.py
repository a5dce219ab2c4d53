"""Ingest and build killed at random moments: after one plain re-run all is as if nothing had been.

pytest tests/kills_mart.py

Not one of the tests that run by themselves: it kills 25 times. `tests/test_mart_kills.py` is
its small form.
"""

import os
import random
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from orchestration.warehouse.state_hash import models_handed_on, state_of
from serving.home import Home
from tests.command import TASTEMATE
from tests.corpus import CORPUS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(14_400)]

DAY_ONE = datetime(2026, 3, 1, 4, tzinfo=UTC)
INGEST_AND_BUILD = (
    '"$0" --home "$1" ingest --source sample --path "$2" && '
    '"$0" --home "$1" build --exclude-resource-type unit_test'
)


def test_25_kills_leave_no_trace(tmp_path: Path) -> None:
    survive(tmp_path, kills=25)


def survive(folder: Path, kills: int) -> None:
    """Land a day's files and build, day after day, killed once each day; compare with a twin."""
    chance = random.Random(0)  # noqa: S311 - the moment of a kill is no secret
    killed, twin = Home(folder / "killed"), Home(folder / "twin")
    for day in range(kills):
        source = _a_day(folder / "source", day, chance)
        environment = os.environ | {
            "TASTEMATE_NOW": (DAY_ONE + timedelta(days=day)).isoformat(),
            "TASTEMATE_KEYS": str(folder / "keys"),  # the same pseudonyms for both
        }
        began = time.monotonic()
        _ended(twin, source, environment)
        seconds = time.monotonic() - began
        with _started(killed, source, environment) as process:
            time.sleep(chance.uniform(0, seconds))
            os.killpg(process.pid, signal.SIGKILL)
        _ended(killed, source, environment)
        assert _state(killed) == _state(twin), f"day {day}"


def _started(home: Home, source: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", "-c", INGEST_AND_BUILD, str(TASTEMATE), str(home.root), str(source)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _ended(home: Home, source: Path, environment: dict[str, str]) -> None:
    with _started(home, source, environment) as process:
        said = process.communicate()[0]
    assert process.returncode == 0, said[-4000:]


def _state(home: Home) -> str:
    return state_of(home, models_handed_on(home)).state_hash


def _a_day(folder: Path, day: int, chance: random.Random) -> Path:
    """Write a day's files beside those of the days before: good, late, corrected, gone, broken."""
    folder.mkdir(exist_ok=True)
    likes = [_like(day * 1_000 + number, day, chance) for number in range(200)]
    if day:
        old = [chance.randrange(day * 1_000 - 800) for _ in range(20)]
        likes += [_like(number, day, chance) for number in old[:10]]
        likes += [
            {"_id": n, "user_id": f"u{n % 37}", "deleted_at": _at(day, chance)} for n in old[10:]
        ]
    content = b"".join(orjson.dumps(like) + b"\n" for like in likes)
    hard = chance.choice(sorted(CORPUS))
    (folder / f"likes-{day:02}.jsonl").write_bytes(content)
    (folder / f"likes-{day:02}-{hard}.jsonl").write_bytes(CORPUS[hard])
    places = [
        {
            "_id": f"p{n}",
            "category_codes": [f"c{chance.randrange(9)}"],
            "district_code": f"d{n % 4}",
        }
        for n in chance.sample(range(50), 10)
    ]
    lines = b"".join(orjson.dumps(place) + b"\n" for place in places)
    (folder / f"places-{day:02}.jsonl").write_bytes(lines)
    return folder


def _like(number: int, day: int, chance: random.Random) -> dict[str, object]:
    return {
        "_id": number,
        "user_id": f"u{number % 37}",
        "contents_id": f"p{chance.randrange(50)}",
        "display_id": f"d{chance.randrange(5)}",
        "like_time": _at(day, chance),
    }


def _at(day: int, chance: random.Random) -> str:
    back = timedelta(days=chance.randrange(400), seconds=chance.randrange(80_000))
    return (DAY_ONE + timedelta(days=day) - back).isoformat()
