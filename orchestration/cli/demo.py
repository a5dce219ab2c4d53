"""The demo: a sample city from raw documents to answers over HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel

from orchestration.cli.demo_service import service_beside
from orchestration.delivery.run_report import RunReport
from orchestration.home.console import console
from orchestration.landing.registered import register, registered, resolve
from orchestration.runs import NoSourceError, run
from orchestration.sample import home_city
from orchestration.sample.planted_taste import Lift, planted_taste_lifts
from serving import server
from serving.home import Home
from serving.messages import RecommendPlacesAnswer, SimilarUsersAnswer

PRESET = "small"
# A history long enough to have a taste, short enough to be read.
A_GOOD_LENGTH = 60
STRANGER = "nobody-has-seen-me"

_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True)
class Demo:
    """What came out: answers for one person and for a stranger, and the report of the run."""

    user_id: str
    similar_users: SimilarUsersAnswer
    recommend_places: RecommendPlacesAnswer
    stranger: RecommendPlacesAnswer
    planted_taste: Mapping[str, Lift]
    report: RunReport
    seconds: float


def show(home: Home, events: int) -> Demo:
    """Run the main job on a sample city in *home*, ask the service, give what came out.

    Raises:
        NoSourceError: the home has other sources than a sample city.
    """
    if any(entry.source != "sample" for entry in registered(home)):
        raise NoSourceError(
            f"{home.root}: this home ingests real data, and a sample city must not mix with it. "
            "Give the demo a home of its own: tastemate --home DIR demo"
        )
    started = time.monotonic()
    documents = home_city.make(home, events=events, seed=0)
    register(home, resolve("sample", documents, None))
    with service_beside(home) as ready:
        outcome = run(home, PRESET, seed=0)
        console.print("  [bold]▸[/bold] asking the packaged service")
        person, lifts = _someone(home), planted_taste_lifts(home, home.sample_truth)
        similar, places, stranger = _answers(ready(), person)
    seconds = time.monotonic() - started
    return Demo(person, similar, places, stranger, lifts, outcome.report, seconds)


def _answers(
    serving: server.Server, person: str
) -> tuple[SimilarUsersAnswer, RecommendPlacesAnswer, RecommendPlacesAnswer]:
    """Ask the service about *person* and about a stranger."""
    with httpx.Client(base_url=serving.url, timeout=10) as client:
        similar = _ask(client, "similar-users", person, 5, SimilarUsersAnswer)
        places = _ask(client, "recommend-places", person, 5, RecommendPlacesAnswer)
        stranger = _ask(client, "recommend-places", STRANGER, 3, RecommendPlacesAnswer)
    return similar, places, stranger


def _ask(
    client: httpx.Client, question: str, user_id: str, limit: int, kind: type[_Answer]
) -> _Answer:
    answer = client.post(f"/v1/{question}", json={"user_id": user_id, "limit": limit})
    answer.raise_for_status()
    return kind.model_validate_json(answer.content)


def _someone(home: Home) -> str:
    """Find the product's id of a person with a history of a readable length."""
    from serving.vault import Vault

    users = pq.read_table(home.handed_on("marts/dim_users"))
    distance = pc.abs(pc.subtract(users["event_count"], A_GOOD_LENGTH))
    row = pc.sort_indices(
        users.append_column("distance", distance),
        sort_keys=[("distance", "ascending"), ("user_id", "ascending")],
    )[0].as_py()
    pseudonym = users["user_id"][row].as_py()
    return str(Vault(home).reveal([pseudonym])[pseudonym])
