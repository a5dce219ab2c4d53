"""Verbs of releases: look at them, choose which is live, serve it."""

import json
from typing import TYPE_CHECKING

import click

from orchestration.cli.output import PORT, Report, enter, reports
from orchestration.home.hints import typed
from serving.home import Home

if TYPE_CHECKING:
    from serving.champion import Champion


@click.group()
def release() -> None:
    """Look at releases and choose which one is live."""


@release.command("ls")
@reports
@click.pass_obj
def list_all(home: Home) -> Report:
    """List the home's releases, newest first."""
    from orchestration.release.live import list_releases

    releases = list_releases(home)
    if not releases:
        click.echo(typed(f"{home.root}: no release yet. Make one: tastemate run"), err=True)
    lines = [
        f"{'*' if entry.is_champion else ' '} {entry.release_id}  {entry.kind:<8}  "
        f"{entry.created_at}  {entry.reason}"
        for entry in releases
    ]
    return Report(releases, "\n".join(lines))


@release.command()
@click.argument("release_id", required=False)
@reports
@click.pass_obj
def show(home: Home, release_id: str | None) -> Report:
    """Check a release's content, and tell what it is, why it was made and how good it is.

    Without an id: what is live. An id may be cut short where it is clear.
    """
    from orchestration.release.live import named
    from orchestration.release.text import release_text
    from serving.release import CARD, verify

    shown = verify(home.releases / named(home, release_id))
    return Report(json.loads((shown.folder / CARD).read_text()), release_text(shown))


@release.command()
@click.argument("first")
@click.argument("second")
@reports
@click.pass_obj
def diff(home: Home, first: str, second: str) -> Report:
    """Tell what parts two releases: figures, data, form and places.

    Ids may be cut short where they are clear.
    """
    from orchestration.release.diff import diff_releases, sentence
    from orchestration.release.live import named

    found = diff_releases(home, named(home, first), named(home, second))
    return Report(found, "\n".join(map(sentence, found)) or "They are the same.")


@release.command()
@click.option("--reason", default="rolled back by hand", show_default=True,
              help="Why, for the log of what was live.")  # fmt: skip
@reports
@click.pass_obj
def rollback(home: Home, reason: str) -> Report:
    """Make live what was live before; a second time undoes it. Tell who answers with what.

    A server that is running goes on with its release. Exit 3 where the release may not go live.
    """
    from orchestration.release.live import roll_back

    enter(home)
    return _promoted(home, roll_back(home, reason))


@release.command()
@click.argument("release_id")
@click.option("--reason", default="promoted by hand", show_default=True,
              help="Why, for the log of what was live.")  # fmt: skip
@reports
@click.pass_obj
def promote(home: Home, release_id: str, reason: str) -> Report:
    """Make a release live, such as an earlier one to roll back to. Tell who answers with what.

    A server that is running goes on with its release. An id may be cut short where it is clear.
    Exit 3 where the release may not go live.
    """
    from orchestration.release.live import promote as make_live

    enter(home)
    return _promoted(home, make_live(home, release_id, reason))


def _promoted(home: Home, live: "Champion") -> Report:
    from orchestration.cli.servers import Promoted, words
    from serving.servers import running

    _mirror(home)
    promoted = Promoted(**vars(live), servers=running(home))
    return Report(promoted, words(promoted))


def _mirror(home: Home) -> None:
    """Tell MLflow what is live; that it cannot be told undoes nothing."""
    from orchestration.delivery.mlflow_alias import move_alias

    if move_alias(home):
        return
    from orchestration.delivery import mlflow_mirror

    try:
        mlflow_mirror.mirror(home)
    except mlflow_mirror.TrackingError as error:
        click.secho(typed(str(error)), fg="yellow", err=True)


@click.command()
@click.option(
    "--port",
    type=PORT,
    default=3000,
    show_default=True,
    help="Port on loopback; 0 takes a free one.",
)
@click.pass_obj
def serve(home: Home, port: int) -> None:
    """Serve the champion over HTTP on this computer, until Ctrl-C."""
    import signal

    from serving import server

    enter(home)
    # A service manager's polite kill must end the service, too, were it still starting.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(f"Starting the service; its log is in {home.service_logs}.")
    with server.start(home, port) as running:
        click.echo(f"Serving on {running.url}; try {running.url}/v1/openapi.json. Ctrl-C stops it.")
        try:
            running.wait()
        except KeyboardInterrupt:
            click.echo("Stopping.")
