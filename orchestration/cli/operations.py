"""Verbs of the operator: run the day, watch it, look whether all is well."""

import os
import signal
import sys
from pathlib import Path

import click

from orchestration.cli.model import PRESET
from orchestration.cli.output import PORT, Report, enter, reports
from orchestration.cli.sources import ChosenSource, source_options
from serving.home import Home


@click.command()
@source_options
@click.option("--preset", type=PRESET,
              help="Size of the model [default: as before, or by size of the data].")  # fmt: skip
@reports
@click.pass_obj
def run(home: Home, chosen: ChosenSource, preset: str | None) -> Report:
    """Run the main job: from new files to what is live. Does little if nothing is new."""
    from orchestration.delivery.report_text import as_markdown
    from orchestration.runs import run as run_all

    enter(home)
    chosen.register(home)
    outcome = run_all(home, preset, chosen.seed)
    old = "" if outcome.is_new else "Nothing new since the run below; what is live stays.\n\n"
    page = home.report(kind="html")
    where = f"\nThe same as a page: {page}" if page.exists() else ""
    return Report(outcome.report, old + as_markdown(outcome.report) + where)


@click.command()
@click.option("--port", type=PORT, default=3001, show_default=True, help="Port on loopback.")
@click.pass_obj
def dev(home: Home, port: int) -> None:
    """Open Dagster's web interface with the whole graph, on this computer only.

    Ctrl-C or SIGTERM ends it, also where a script has started it.
    """
    enter(home)
    module = ("-m", "orchestration.definitions")
    command = ["dagster", "dev", *module, "-h", "127.0.0.1", "-p", str(port)]
    # A script starts what goes on beside it with Ctrl-C ignored, and Dagster then ignores SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(Path(sys.executable).with_name("dagster"), command)  # noqa: S606


@click.command()
@reports
@click.pass_obj
def status(home: Home) -> Report:
    """Tell on one screen how the home stands: last run, what is live, who serves it, what to do."""
    from orchestration.cli.status import status_of, words

    found = status_of(home)
    return Report(found, words(found))


@click.command()
@reports
@click.pass_obj
def doctor(home: Home) -> Report:
    """Check the installation, the home and the services; exit 1 if something is wrong."""
    from orchestration.cli.doctor import examine

    enter(home)
    findings = examine(home)
    lines = [f"{'ok ' if one.ok else 'NOT'}  {one.what}: {one.detail}" for one in findings]
    return Report(findings, "\n".join(lines), is_well=all(one.ok for one in findings))


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=120_000, show_default=True,
              help="Size of the sample city.")  # fmt: skip
@reports
@click.pass_obj
def demo(home: Home, events: int) -> Report:
    """Run the main job on a sample city, ask the packaged service, print what came out."""
    from orchestration.warehouse.dbt_command import parse_ahead

    enter(home)
    # What takes longest of all that needs no data, so that it begins before anything is imported.
    parse_ahead(home)
    from orchestration.cli.demo import show
    from orchestration.cli.demo_page import page_of

    shown = show(home, events)
    return Report(shown, page_of(home, shown))


@click.command()
@click.option(
    "--interval", is_flag=True, help="Instead, propose how often to check what is online."
)
@reports
@click.pass_obj
def slo(home: Home, *, interval: bool) -> Report:
    """Measure objectives and what is left of their error budgets; exit 1 where one is not held.

    With --interval, the time between checks that keeps wrong rows under 1 in 10,000, by what past
    checks found; with a picture in the home's reports/.
    """
    from orchestration.delivery.report_text import slo_table
    from orchestration.reliability.budget import standings

    if interval:
        from orchestration.reliability import interval as intervals

        proposed = intervals.propose_for(home)
        return Report(proposed, intervals.sentence(proposed))
    measured = standings(home)
    is_met = not any(one.met is False for one in measured)
    return Report(measured, slo_table(measured), is_well=is_met)
