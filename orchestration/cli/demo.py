"""The demo: a sample city from raw documents to answers over HTTP, and a page of what came out."""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from models_ml.evaluation.gate import NETWORK
from orchestration.home.console import console as progress
from orchestration.landing.registered import register, registered, resolve
from orchestration.model.quality_tables import ALONE, quality_rows
from orchestration.runs import NoSourceError, run
from orchestration.sample import home_city as sample_city
from orchestration.sample.planted_taste import planted_taste_lifts
from serving import server
from serving.home import Home

PRESET = "small"
# A history long enough to have a taste, short enough to be read.
A_GOOD_LENGTH = 60
STRANGER = "nobody-has-seen-me"
COUNTED = ("accepted", "duplicates", "quarantined", "erased")

_WIDTH_OF_A_FILE = 110


def show(home: Home, events: int) -> dict[str, Any]:
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
    documents = sample_city.make(home, events=events, seed=0)
    register(home, resolve("sample", documents, None))
    outcome = run(home, PRESET, seed=0)
    progress.print("  [bold]▸[/bold] starting the packaged service and asking it")
    person = _someone(home)
    with server.start(home) as running, httpx.Client(base_url=running.url, timeout=10) as client:
        similar = _ask(client, "similar-users", {"user_id": person, "limit": 5})
        places = _ask(client, "recommend-places", {"user_id": person, "limit": 5})
        stranger = _ask(client, "recommend-places", {"user_id": STRANGER, "limit": 3})
    lifts = planted_taste_lifts(home, home.sample_truth)
    return {
        "user_id": person,
        "similar_users": similar,
        "recommend_places": places,
        "stranger": stranger,
        "planted_taste": {name: lift.__dict__ for name, lift in lifts.items()},
        "report": outcome.report,
        "seconds": time.monotonic() - started,
    }


def _ask(client: httpx.Client, question: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/v1/{question}", json=body)
    answer.raise_for_status()
    return dict(answer.json())


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


def page_of(home: Home, found: dict[str, Any]) -> str:
    """Write what `show` gives as a page for the terminal."""
    page = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
    with page.capture() as written:
        _write_page(page, home, found)
    return written.get().rstrip("\n")


def _write_page(page: Console, home: Home, found: dict[str, Any]) -> None:
    report = found["report"]
    lines = {name: sum(file[name] for file in report["files"]) for name in ("lines_in", *COUNTED)}
    page.print()
    page.rule("[bold]Tastemate[/bold]")
    page.print(
        f"{report['events']:,} events of {report['users']:,} people "
        f"at {report['places']:,} places, "
        f"from {lines['lines_in']:,} raw lines: {lines['accepted']:,} accepted, places among them; "
        f"{lines['duplicates']:,} duplicates; {lines['quarantined']:,} quarantined; "
        f"{lines['lines_in'] - sum(lines[name] for name in COUNTED):,} lost."
    )
    page.print(f"\n[bold]{found['user_id']}[/bold] likes: {_taste(home, found['user_id'])}")
    page.print(_people(found["similar_users"]))
    page.print(_places(found["recommend_places"]))
    stranger = found["stranger"]
    page.print(
        "Somebody unknown is shown what most people like "
        f"(strategy [bold]{stranger['strategy']}[/bold]): "
        + ", ".join(place["place_id"] for place in stranger["places"])
    )
    page.print(_quality(report))
    page.print(_lifts(found["planted_taste"]))
    page.print(_where(home, report))
    page.print(f"Done in {found['seconds']:.0f} s.")


def _taste(home: Home, user_id: str) -> str:
    """Name the categories that a person chose most."""
    from serving.pseudonyms import Pseudonyms

    pseudonym = Pseudonyms(home.keys).of(user_id)
    mine = ("user_id", "=", pseudonym)
    path = home.handed_on("marts/fct_events")
    events = pq.read_table(path, filters=[mine], columns=["place_id"])
    places = pq.read_table(
        home.handed_on("marts/dim_places"), columns=["place_id", "category_codes"]
    )
    categories = dict(zip(*(column.to_pylist() for column in places), strict=True))
    chosen = Counter(
        code for place in events["place_id"].to_pylist() for code in categories[place] or ()
    )
    return ", ".join(f"{code} ({_times(count)})" for code, count in chosen.most_common(6))


def _people(answer: dict[str, Any]) -> Table:
    table = Table(
        "person", "score", "what you share", title="People of similar taste", title_justify="left"
    )
    for user in answer["users"]:
        table.add_row(user["user_id"], f"{user['score']:.3f}", _because(user["reasons"]))
    return table


def _places(answer: dict[str, Any]) -> Table:
    table = Table(
        "place",
        "what it is",
        "district",
        "because",
        title="Places to go next",
        title_justify="left",
    )
    for place in answer["places"]:
        what = ", ".join(place["category_codes"])
        table.add_row(place["place_id"], what, place["district_code"], _because(place["reasons"]))
    return table


def _because(reasons: list[dict[str, Any]]) -> str:
    """Say the endpoint's reasons in words."""
    said = {
        "shared_places": lambda r: _places_shared(r["count"], r["place_ids"]),
        "shared_categories": lambda r: ", ".join(r["category_codes"]),
        "visited_before": lambda r: f"been there {_times(r['count'])}",
        "same_category": lambda r: f"like {r['place_ids'][0]}: {', '.join(r['category_codes'])}",
        "same_district": lambda r: f"been in this district {_times(r['count'])}",
        "popular": lambda r: f"popular: {r['event_count']:,} events there",
    }
    return "; ".join(said[reason["kind"]](reason) for reason in reasons)


def _places_shared(count: int, place_ids: list[str]) -> str:
    if count == 1:
        return f"the place {place_ids[0]}"
    return f"{count} places, such as {', '.join(place_ids[:2])}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _quality(report: dict[str, Any]) -> Table:
    table = Table(
        "", "NDCG@10", "HR@10", "HR@1", "MRR", "leave-one-out NDCG@10",
        title="Quality: who ranks best what came next (last tenth of events)",
        title_justify="left",
    )  # fmt: skip
    loo = report["quality"]["loo"]
    if NETWORK in loo:
        table.caption, table.caption_justify = f"{NETWORK}: {ALONE}", "left"
    for row in quality_rows(report["quality"], "time"):
        figures = [
            row["ndcg_10"],
            row["hr_10"],
            row["hr_1"],
            row["mrr"],
            loo[row["name"]]["ndcg_10"],
        ]
        table.add_row(row["name"], *(f"{figure:.4f}" for figure in figures))
    return table


def _lifts(lifts: dict[str, dict[str, float]]) -> Table:
    table = Table(
        "vectors", "same main taste", "same district",
        title="Do the ten nearest share the planted taste? Times oftener than by chance",
        title_justify="left",
    )  # fmt: skip
    for name, lift in lifts.items():
        table.add_row(name, f"{lift['taste']:.2f}", f"{lift['district']:.2f}")
    return table


def _where(home: Home, report: dict[str, Any]) -> str:
    def shown(path: Path) -> str:
        here = Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

    by_make = home.root == Home.find(None).root
    begin = "make" if by_make else f"tastemate --home {shown(home.root)}"
    serve, dev = f"{begin} serve", f"{begin} dev"
    return (
        f"\nLive: release {report['release_id']} "
        f"({report['release_kind']} {report['release_name']}), index {report['index_id']}.\n"
        f"Everything lies under {shown(home.root)}; "
        f"the report is {shown(home.report(kind='md'))}.\n"
        "Next:\n"
        f"  {serve:15} ask it yourself: http://127.0.0.1:3000/v1/openapi.json says how\n"
        f"  {dev:15} see the whole graph in Dagster\n"
        "  your own data   docs/how-to/bring-your-own-data.md"
    )
