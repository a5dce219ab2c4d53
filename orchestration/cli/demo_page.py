"""The demo's page: what came out, for a person at a terminal."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from models_ml.evaluation.report import LOO, NETWORK, TIME
from orchestration.cli.demo import Demo
from orchestration.delivery.run_report import RunReport
from orchestration.home.environment import PROJECT
from orchestration.home.hints import typed
from orchestration.model.quality_tables import ALONE, best_first
from orchestration.sample.planted_taste import Lift
from serving.home import Home
from serving.messages import (
    PlaceReason,
    Popular,
    RecommendPlacesAnswer,
    SameCategory,
    SameDistrict,
    SharedCategories,
    SharedPlaces,
    SimilarUsersAnswer,
    UserReason,
    VisitedBefore,
)

_WIDTH_OF_A_FILE = 110


def page_of(home: Home, demo: Demo) -> str:
    """Write what the demo gave as a page for the terminal."""
    page = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
    with page.capture() as written:
        _write(page, home, demo)
    return written.get().rstrip("\n")


def _write(page: Console, home: Home, demo: Demo) -> None:
    page.print()
    page.rule("[bold]Tastemate[/bold]")
    page.print(_what_went_in(demo.report))
    page.print(f"\n[bold]{demo.user_id}[/bold] likes: {_taste(home, demo.user_id)}")
    page.print(_people(demo.similar_users))
    page.print(_places(demo.recommend_places))
    page.print(
        "Somebody unknown is shown what most people like "
        f"(strategy [bold]{demo.stranger.strategy}[/bold]): "
        + ", ".join(place.place_id for place in demo.stranger.places)
    )
    page.print(_quality(demo.report))
    page.print(_lifts(demo.planted_taste))
    page.print(where_next(home, demo.report), soft_wrap=True)
    page.print(f"Done in {demo.seconds:.0f} s.")


def _what_went_in(report: RunReport) -> str:
    files = report.files
    lines_in = sum(file.lines_in for file in files)
    accepted = sum(file.accepted for file in files)
    duplicates = sum(file.duplicates for file in files)
    quarantined = sum(file.quarantined for file in files)
    erased = sum(file.erased for file in files)
    return (
        f"{report.events or 0:,} events of {report.users or 0:,} people at "
        f"{report.places or 0:,} places, from {lines_in:,} raw lines: {accepted:,} accepted, "
        f"places among them; {duplicates:,} duplicates; {quarantined:,} quarantined; "
        f"{lines_in - accepted - duplicates - quarantined - erased:,} lost."
    )


def _taste(home: Home, user_id: str) -> str:
    """Name the categories that a person chose most."""
    from serving.pseudonyms import Pseudonyms

    pseudonym = Pseudonyms(home.keys).of(user_id)
    mine = ("user_id", "=", pseudonym)
    events = pq.read_table(home.handed_on("marts/fct_events"), filters=[mine], columns=["place_id"])
    places = pq.read_table(
        home.handed_on("marts/dim_places"), columns=["place_id", "category_codes"]
    )
    categories = dict(zip(*(column.to_pylist() for column in places), strict=True))
    chosen = Counter(
        code for place in events["place_id"].to_pylist() for code in categories[place] or ()
    )
    return ", ".join(f"{code} ({_times(count)})" for code, count in chosen.most_common(6))


def _people(answer: SimilarUsersAnswer) -> Table:
    table = Table(
        "person", "score", "what you share", title="People of similar taste", title_justify="left"
    )
    for user in answer.users:
        table.add_row(user.user_id, f"{user.score:.3f}", because(user.reasons))
    return table


def _places(answer: RecommendPlacesAnswer) -> Table:
    table = Table(
        "place", "what it is", "district", "because",
        title="Places to go next",
        title_justify="left",
    )  # fmt: skip
    for place in answer.places:
        what = ", ".join(place.category_codes)
        table.add_row(place.place_id, what, place.district_code, because(place.reasons))
    return table


def because(reasons: Sequence[UserReason | PlaceReason]) -> str:
    """Say the endpoint's reasons in words."""
    return "; ".join(map(_in_words, reasons))


def _in_words(reason: UserReason | PlaceReason) -> str:
    match reason:
        case SharedPlaces():
            return _places_shared(reason.count, reason.place_ids)
        case SharedCategories():
            return ", ".join(reason.category_codes)
        case VisitedBefore():
            return f"been there {_times(reason.count)}"
        case SameCategory():
            return f"like {reason.place_ids[0]}: {', '.join(reason.category_codes)}"
        case SameDistrict():
            return f"been in this district {_times(reason.count)}"
        case Popular():
            return f"popular: {reason.event_count:,} events there"


def _places_shared(count: int, place_ids: list[str]) -> str:
    if count == 1:
        return f"the place {place_ids[0]}"
    return f"{count} places, such as {', '.join(place_ids[:2])}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _quality(report: RunReport) -> Table:
    table = Table(
        "", "NDCG@10", "HR@10", "HR@1", "MRR", "leave-one-out NDCG@10",
        title="Quality: who ranks best what came next (last tenth of events)",
        title_justify="left",
    )  # fmt: skip
    loo = report.quality[LOO]
    if NETWORK in loo:
        table.caption, table.caption_justify = f"{NETWORK}: {ALONE}", "left"
    for name, told in best_first(report.quality[TIME]):
        figures = [told.ndcg_10, told.hr_10, told.hr_1, told.mrr, loo[name].ndcg_10]
        table.add_row(name, *(f"{figure:.4f}" for figure in figures))
    return table


def _lifts(lifts: Mapping[str, Lift]) -> Table:
    table = Table(
        "vectors", "same main taste", "same district",
        title="Do the ten nearest share the planted taste? Times oftener than by chance",
        title_justify="left",
    )  # fmt: skip
    for name, lift in lifts.items():
        table.add_row(name, f"{lift.taste:.2f}", f"{lift.district:.2f}")
    return table


def where_next(home: Home, report: RunReport) -> str:
    """Say where all of it lies, and what to type next."""

    def shown(path: Path) -> str:
        here = Path.cwd()
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

    # What make serves; a home that --home or TASTEMATE_HOME names is another.
    begin = "make" if home.root == PROJECT / ".tastemate" else "tastemate"
    serve, dev = typed(f"{begin} serve"), typed(f"{begin} dev")
    return (
        f"\nLive: release {report.release_id} "
        f"({report.release_kind} {report.release_name}), index {report.index_id}.\n"
        f"Everything lies under {shown(home.root)}; "
        f"the report is {shown(home.report(kind='html'))}.\n"
        "Next:\n"
        f"  {serve:15}  ask it yourself: http://127.0.0.1:3000/v1/openapi.json says how\n"
        f"  {dev:15}  see the whole graph in Dagster\n"
        "  the second day   docs/how-to/the-second-day.md\n"
        "  your own data    docs/how-to/bring-your-own-data.md"
    )
