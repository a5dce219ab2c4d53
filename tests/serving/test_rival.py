"""The plain endpoint that ours is measured against: it has to answer to be a rival."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.server import HOST
from tests.serving.city import USERS, City

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
APP = "tests.bench.rivals.serving:app"


@pytest.fixture(scope="module")
def rival(finished_city: City) -> Iterator[httpx.Client]:
    """Start it on the city's home and give a client of it."""
    # Listening from the first: what is asked while it still loads waits.
    with socket.create_server((HOST, 0)) as listening:
        url = "http://{}:{}".format(*listening.getsockname())
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--log-level", "warning", "--factory", APP,
             "--fd", str(listening.fileno())],
            cwd=ROOT, env=os.environ | {"TASTEMATE_HOME": str(finished_city.home.root)},
            pass_fds=[listening.fileno()],
        )  # fmt: skip
    with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
        yield client
    process.terminate()
    process.wait()


def asked(rival: httpx.Client, question: str, user_id: str, limit: int) -> dict[str, Any]:
    answer = rival.post(f"/v1/{question}", json={"user_id": user_id, "limit": limit})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("limit", [1, 7])
def test_the_rival_finds_as_many_people_as_asked_and_nearest_first(
    rival: httpx.Client, finished_city: City, limit: int
) -> None:
    people = asked(rival, "similar-users", USERS[0], limit)["users"]
    names = {finished_city.pseudonym(user) for user in USERS[1:]}
    assert len({person["user_id"] for person in people} & names) == len(people) == limit
    scores = [person["score"] for person in people]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("limit", [1, 7])
def test_the_rival_recommends_as_many_unseen_places_as_asked(
    rival: httpx.Client, finished_city: City, limit: int
) -> None:
    places = asked(rival, "recommend-places", USERS[0], limit)["places"]
    seen = set(finished_city.favors[USERS[0]]["event_place_ids"])
    assert len({place["place_id"] for place in places} - seen) == len(places) == limit


def test_the_rival_has_nothing_for_a_stranger(rival: httpx.Client) -> None:
    assert asked(rival, "similar-users", "nobody", 3) == {"users": []}
    assert asked(rival, "recommend-places", "nobody", 3) == {"places": []}
