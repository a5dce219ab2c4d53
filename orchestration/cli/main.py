"""The command `tastemate`: each verb calls the tool or the function that does the work.

Exit codes: 0 ok, 1 failed, 2 usage, 3 refused by a gate.
"""

import functools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import click

from serving.home import Home

REFUSED = 3
STOPPED = 130  # as shells report SIGINT
PRESET_NAMES = ["tiny", "small", "base"]  # models_ml.config, which would load torch for --help


class Group(click.Group):
    """Shows an error that a person can act on as one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; our own errors end with exit code 1, a gate's with 3, Ctrl-C with 130."""
        from orchestration.home.errors import RefusedError, is_for_people

        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.secho("Stopped. What is done is kept; the same command goes on.", err=True)
            sys.exit(STOPPED)
        except RefusedError as refusal:
            click.secho(f"Refused: {refusal}", fg="red", err=True)
            sys.exit(REFUSED)
        except Exception as error:
            if not is_for_people(error):
                raise
            click.secho(f"Error: {error}", fg="red", err=True)
            sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where all state lies [default: TASTEMATE_HOME, else .tastemate/ beside the project].",
)
@click.pass_context
def main(ctx: click.Context, root: Path | None) -> None:
    """People of similar taste, and the places they would like next."""
    ctx.obj = Home.find(root)


def _enter(home: Home) -> None:
    from orchestration.home.environment import enter
    from orchestration.home.quiet import hush

    enter(home)
    hush()


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, default=str))


@main.command()
@click.pass_obj
def env(home: Home) -> None:
    """Print the exports after which dbt, feast, dagster and bentoml work on the home.

    Use it as: eval "$(tastemate env)"
    """
    from orchestration.home.environment import enter, exports

    enter(home)
    for name, value in exports(home).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')


@dataclass(frozen=True)
class ChosenSource:
    """Where events are to come from, as the options say."""

    source: str | None
    mapping: Path | None
    path: Path | None
    events: int
    seed: int

    def register(self, home: Home) -> None:
        """Remember the source; a sample city that is not there yet is made."""
        from orchestration.landing.registered import register, resolve
        from orchestration.sample.home_city import make

        if self.source is None:
            return
        path = self.path or make(home, events=self.events, seed=self.seed)
        register(home, resolve(self.source, path, self.mapping))

    def check(self) -> None:
        """Refuse options that do not fit together."""
        if self.source is None and (self.mapping or self.path):
            raise click.UsageError(
                "--mapping and --path need --source sample, interactions or kafka."
            )
        if self.source in {"interactions", "kafka"} and not (self.mapping and self.path):
            raise click.UsageError(f"--source {self.source} needs --mapping FILE and --path PATH.")
        if self.source == "sample" and self.mapping:
            raise click.UsageError("--source sample knows its own fields; leave --mapping out.")


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose where events come from, given on as `chosen`."""

    @functools.wraps(command)
    def collected(*arguments: Any, **options: Any) -> None:
        names = [field.name for field in fields(ChosenSource)]
        chosen = ChosenSource(**{name: options.pop(name) for name in names})
        chosen.check()
        command(*arguments, chosen=chosen, **options)

    decorated: Callable[..., None] = collected
    for option in (
        click.option("--seed", default=0, show_default=True, help="Seed of city and training."),
        click.option("--events", default=120_000, show_default=True, help="Size of a new city."),
        click.option(
            "--path",
            type=click.Path(exists=True, path_type=Path),
            help="File or folder; of --source kafka the file that names topics and broker.",
        ),
        click.option(
            "--mapping",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Mapping file of --source interactions and kafka.",
        ),
        click.option("--source", type=click.Choice(["sample", "interactions", "kafka"])),
    ):
        decorated = option(decorated)
    return decorated


@main.command()
@source_options
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def ingest(home: Home, chosen: ChosenSource, *, as_json: bool) -> None:
    """Land new files of a source, or of all sources known, in the raw archive."""
    from orchestration.landing.registered import sentence
    from orchestration.runs import land_sources

    _enter(home)
    chosen.register(home)
    landed = land_sources(home)
    if as_json:
        _print_json(landed)
    for file in () if as_json else landed:
        click.echo(sentence(file))


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Mapping file [default: the sample's own documents].")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def validate(home: Home, path: Path, mapping: Path | None, *, as_json: bool) -> None:
    """Tell what would become of each line of a file or folder, and land nothing.

    Exit 1 where a line would be quarantined.
    """
    from orchestration.home.quiet import hush
    from orchestration.landing import load_mapping
    from orchestration.landing.mapping import SAMPLE
    from orchestration.warehouse.validate import sentence
    from orchestration.warehouse.validate import validate as judge

    hush()
    verdicts = judge(home, load_mapping(mapping) if mapping else SAMPLE, path)
    if as_json:
        _print_json([verdict.as_json() for verdict in verdicts])
    else:
        click.echo("\n".join(map(sentence, verdicts)))
    sys.exit(0 if all(verdict.is_fit for verdict in verdicts) else 1)


@main.command()
@click.option("--reason", help="Only lines that were set aside for it, such as not_text.")
@click.option("--through", metavar="COMMAND",
              help="A command that mends the lines: it reads them and writes as many.")  # fmt: skip
@click.option("--dry-run", "is_trial", is_flag=True, help="Tell what would land; land nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def replay(
    home: Home, reason: str | None, through: str | None, *, is_trial: bool, as_json: bool
) -> None:
    """Read quarantined lines once more, and land those that can be read now."""
    from orchestration.home.lock import alone
    from orchestration.landing.replay import replay as again
    from orchestration.landing.replay import sentence

    with alone(home):
        replayed = again(home, reason, through, is_trial=is_trial)
    if as_json:
        _print_json([asdict(found) for found in replayed])
        return
    for found in replayed:
        click.echo(sentence(found, is_trial=is_trial))
    if not replayed:
        of_what = f"of the reason {reason}" if reason else "that landing could not read"
        click.echo(f"No line {of_what} waits in quarantine.")
    elif any(found.file_id for found in replayed):
        click.echo(
            "Take them into the marts: tastemate build; and on to what is live: tastemate run"
        )


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("dbt_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def build(home: Home, dbt_arguments: tuple[str, ...]) -> None:
    """Run `dbt build` on the home; further arguments go on to dbt."""
    from orchestration.home.environment import DBT_PROJECT
    from orchestration.warehouse.dbt_command import dbt_executable
    from orchestration.warehouse.held import wait_until_free

    _enter(home)
    wait_until_free(home)
    command = [dbt_executable(), "build", *dbt_arguments]
    sys.exit(min(1, subprocess.run(command, cwd=DBT_PROJECT, check=False).returncode))  # noqa: S603 - dbt, with what its user typed


@main.command()
@click.option("--people", type=click.IntRange(min=1), default=2000, show_default=True,
              help="About how many people to compare.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def recheck(home: Home, people: int, *, as_json: bool) -> None:
    """Compare marts and features with a full refresh, for a sample; exit 1 where they differ."""
    from orchestration.warehouse.dbt_command import DbtError
    from orchestration.warehouse.recheck import RecheckError, verdict
    from orchestration.warehouse.recheck import recheck as compare

    _enter(home)
    try:
        found = compare(home, people)
    except (RecheckError, DbtError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print_json(found.as_json())
    else:
        click.echo(verdict(found))
    sys.exit(0 if found.holds else 1)


@main.command()
@click.option("--as-of", "as_of", required=True, metavar="TIME",
              help="A moment in ISO 8601; without a zone it is UTC.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path),
              help="Folder to build into [default: rebuilds/ of the home].")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def rebuild(home: Home, as_of: str, out: Path | None, *, as_json: bool) -> None:
    """Build marts and features as known at a moment, from the raw archive alone.

    Exit 1 where a run published that moment and something came out otherwise.
    """
    from orchestration.warehouse.rebuild import moment_of, verdict
    from orchestration.warehouse.rebuild import rebuild as again

    try:
        moment = moment_of(as_of)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from error
    _enter(home)
    rebuilt = again(home, moment, out)
    if as_json:
        _print_json(rebuilt.as_json())
    else:
        click.echo(verdict(rebuilt))
    sys.exit(0 if rebuilt.holds else 1)


@main.command()
@click.argument("user")
@click.option("--prove", "only_prove", is_flag=True, help="Only look; erase nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def forget(home: Home, user: str, *, only_prove: bool, as_json: bool) -> None:
    """Erase the USER, by the product's own id, from every store, and prove it.

    Run it again if it was stopped. Exit 1 where the proof finds the user anywhere.
    """
    from orchestration.forgetting import report
    from orchestration.forgetting.forget import forget as erase
    from orchestration.forgetting.person import Person
    from orchestration.forgetting.proof import prove
    from orchestration.landing.tombstones import Tombstones

    _enter(home)
    done = None if only_prove else erase(home, user)
    person = Person.of(home, user)
    proof = done.proof if done else prove(home, person)
    is_on_record = person.pseudonym in Tombstones(home)
    if as_json:
        _print_json({**(done or proof).as_json(), "is_on_record": is_on_record})
    else:
        click.echo(report.sentences(done, proof, is_on_record=is_on_record))
    sys.exit(0 if proof.holds else 1)


@main.command()
@click.argument("a")
@click.argument("b")
@click.option("--key", required=True, help="The columns that name a row, with commas between.")
@click.option("--examples", default=5, show_default=True, help="So many keys of each kind.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
def diff(a: str, b: str, key: str, examples: int, *, as_json: bool) -> None:
    """Find the rows in which table A and table B differ; exit 1 where they do.

    A and B are each a .parquet, .csv or .jsonl file, a folder of Parquet files, or a table in a
    database: FILE.duckdb::SCHEMA.TABLE or FILE.sqlite::TABLE.
    """
    from orchestration.warehouse import table_diff as differ

    found = differ.diff(a, b, [name.strip() for name in key.split(",")], examples)
    if as_json:
        _print_json(found.as_json())
    else:
        click.echo(differ.sentence(found))
    sys.exit(0 if found.is_equal else 1)


@main.command()
@click.option("--accept", is_flag=True, help="Rewrite the lock as the feature models are.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def plan(home: Home, *, accept: bool, as_json: bool) -> None:
    """Compare the feature models with the committed lock of what may go online.

    Exit 1 where they differ and that is not accepted.
    """
    from feature_repo import lock

    _enter(home)
    _ensure_manifest(home)
    differences = lock.accept(home.root) if accept else lock.plan(home.root)
    if as_json:
        _print_json({"differences": differences, "accepted": accept})
    elif differences:
        click.echo("\n".join(differences))
        click.echo(f"{lock.LOCK.name} rewritten; commit it." if accept else
                   "Accept them: tastemate plan --accept")  # fmt: skip
    else:
        click.echo("The feature models are as the lock says.")
    sys.exit(1 if differences and not accept else 0)


@main.command()
@click.pass_obj
def apply(home: Home) -> None:
    """Register the feature models with Feast, if they are as the lock says."""
    from feature_repo import lock

    _enter(home)
    _ensure_manifest(home)
    click.echo("Applied: " + ", ".join(lock.apply(home.root)))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def materialize(home: Home, *, as_json: bool) -> None:
    """Publish the current features to the online store and compare every key; exit 1 if unequal."""
    from orchestration.online.publish import publish_and_compare

    _enter(home)
    found = publish_and_compare(home)
    if as_json:
        _print_json(found)
    else:
        click.echo(_facts(found))
    sys.exit(0 if found["holds"] else 1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def parity(home: Home, *, as_json: bool) -> None:
    """Compare online and offline features, key by key; exit 1 where they differ."""
    from orchestration.online.publish import compare

    _enter(home)
    found = compare(home)
    if as_json:
        _print_json(found)
    else:
        click.echo(_facts(found))
    sys.exit(0 if found["holds"] else 1)


@main.command()
@click.option(
    "--interval", is_flag=True, help="Instead, propose how often to check what is online."
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def slo(home: Home, *, interval: bool, as_json: bool) -> None:
    """Measure the objectives and what is left of their error budgets; exit 1 where one is missed.

    With --interval, the time between checks that keeps wrong rows under 1 in 10,000, by what past
    checks found; with a picture in the home's reports/.
    """
    from orchestration.delivery.run_report import slo_table
    from orchestration.reliability import interval as intervals
    from orchestration.reliability.budget import standings

    if interval:
        found = intervals.propose_for(home)
        if as_json:
            _print_json(found.as_json())
        else:
            click.echo(intervals.sentence(found))
        return
    measured = [standing.as_json() for standing in standings(home)]
    if as_json:
        _print_json(measured)
    else:
        click.echo(slo_table(measured))
    sys.exit(1 if any(one["met"] is False for one in measured) else 0)


@main.command()
@click.option("--preset", type=click.Choice(PRESET_NAMES), help="Size of the model.")
@click.option("--seed", default=0, show_default=True)
@click.option("--export", "target", type=click.Path(file_okay=False, path_type=Path),
              help="Write the training set there instead, for another machine.")  # fmt: skip
@click.option("--adopt", "source", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Take the model folder made there as this home's model.")  # fmt: skip
@click.pass_obj
def train(
    home: Home, preset: str | None, seed: int, target: Path | None, source: Path | None
) -> None:
    """Train on the home's features, as the Dagster asset model/recommender."""
    from orchestration import asset_keys as keys
    from orchestration.model import store as model_store
    from orchestration.runs import materialize as make
    from orchestration.runs import training_config

    _enter(home)
    if target:
        exported = model_store.export_training_set(home, target)
        click.echo(f"{target}: training set {exported.hash[:16]}. Train there, then come back with "
                   "'tastemate train --adopt DIR'.")  # fmt: skip
        return
    if source:
        model_store.adopt(home, source)
        make(home, [keys.RECOMMENDER], training_config(None, seed))
    else:
        config = training_config(preset or "base", seed, anew=True)
        make(home, [keys.TRAINING_SET, keys.RECOMMENDER], config)
    click.echo(f"The home's model: {model_store.current_model(home)}")


@main.command()
@click.option("--gate", is_flag=True, help="Exit 3 unless the model may be released, and say why.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def evaluate(home: Home, *, gate: bool, as_json: bool) -> None:
    """Rank all places for held-out events, with the model and with every baseline."""
    from orchestration import asset_keys as keys
    from orchestration.home.atomic_files import read_json
    from orchestration.home.errors import RefusedError
    from orchestration.model.quality_tables import quality_tables
    from orchestration.model.store import current_model
    from orchestration.runs import materialize as make

    _enter(home)
    current_model(home)
    make(home, [keys.EVALUATION])
    found = read_json(current_model(home) / "evaluation.json")
    if as_json:
        _print_json(found)
    else:
        click.echo(quality_tables(found))
    if gate and not found["passes"]:
        raise RefusedError("\n".join(found["refusals"]))


@main.group()
def release() -> None:
    """Look at releases and choose which one is live."""


@release.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def release_ls(home: Home, *, as_json: bool) -> None:
    """List the home's releases, newest first."""
    from orchestration.release.live import list_releases

    found = list_releases(home)
    if as_json:
        _print_json(found)
    elif not found:
        click.echo(f"{home.root}: no release yet. Make one: tastemate run", err=True)
    for entry in () if as_json else found:
        mark = "*" if entry["is_champion"] else " "
        click.echo(f"{mark} {entry['release_id']}  {entry['kind']:<8}  {entry['created_at']}  "
                   f"{entry['reason']}")  # fmt: skip


@release.command("show")
@click.argument("release_id")
@click.option("--json", "as_json", is_flag=True, help="Print its whole card as JSON.")
@click.pass_obj
def release_show(home: Home, release_id: str, *, as_json: bool) -> None:
    """Check a release's content, and tell what it is, why it was made and how good it is."""
    from orchestration.release.text import release_text
    from serving.release import verify

    found = verify(home.releases / release_id)
    if as_json:
        _print_json(dict(found.card))
    else:
        click.echo(release_text(found))


@release.command("diff")
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def release_diff(home: Home, first: str, second: str, *, as_json: bool) -> None:
    """Tell what parts two releases: figures, data, form and places."""
    from dataclasses import asdict

    from orchestration.release.diff import diff_releases

    found = diff_releases(home, first, second)
    if as_json:
        _print_json([asdict(one) for one in found])
        return
    if not found:
        click.echo("They are the same.")
    for one in found:
        first_told, second_told = (
            f"{value:.4f}" if isinstance(value, float) else value
            for value in (one.first, one.second)
        )
        click.echo(f"{one.what}: {first_told} -> {second_told}")


@release.command("rollback")
@click.option("--reason", default="rolled back by hand", show_default=True)
@click.pass_obj
def release_rollback(home: Home, reason: str) -> None:
    """Make live what was live before; a second time undoes it. Exit 3 if it may not be."""
    from orchestration.release.live import roll_back

    _enter(home)
    live = roll_back(home, reason)
    _mirror(home)
    click.echo(f"Live: release {live.release_id}, index {live.index_id}.")


@release.command("promote")
@click.argument("release_id")
@click.option("--reason", default="promoted by hand", show_default=True)
@click.pass_obj
def release_promote(home: Home, release_id: str, reason: str) -> None:
    """Make a release live, such as an earlier one to roll back to; exit 3 if it may not be."""
    from orchestration.release.live import promote

    _enter(home)
    live = promote(home, release_id, reason)
    _mirror(home)
    click.echo(f"Live: release {live.release_id}, index {live.index_id}.")


def _mirror(home: Home) -> None:
    """Tell MLflow what is live; that it cannot be told undoes nothing."""
    from orchestration.delivery import mlflow_mirror as tracking

    try:
        tracking.mirror(home)
    except tracking.TrackingError as error:
        click.secho(str(error), fg="yellow", err=True)


@main.command()
@click.option(
    "--port", default=3000, show_default=True, help="Port on loopback; 0 takes a free one."
)
@click.pass_obj
def serve(home: Home, port: int) -> None:
    """Serve the champion over HTTP on this computer, until Ctrl-C."""
    import signal

    from serving import server

    _enter(home)
    # A service manager's polite kill must end the service, too, were it still starting.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(f"Starting the service; its log is in {home.bentoml / 'logs'}.")
    with server.start(home, port) as running:
        click.echo(f"Serving on {running.url}; try {running.url}/v1/openapi.json. Ctrl-C stops it.")
        try:
            running.wait()
        except KeyboardInterrupt:
            click.echo("Stopping.")


@main.command()
@source_options
@click.option("--preset", type=click.Choice(PRESET_NAMES),
              help="Size of the model [default: as the last one, else base].")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the run report as JSON.")
@click.pass_obj
def run(home: Home, chosen: ChosenSource, preset: str | None, *, as_json: bool) -> None:
    """Run the main job: from new files to what is live. Does little if nothing is new."""
    from orchestration.delivery.run_report import as_markdown
    from orchestration.runs import run as run_all

    _enter(home)
    chosen.register(home)
    outcome = run_all(home, preset, chosen.seed)
    if as_json:
        _print_json(outcome.report)
        return
    if not outcome.is_new:
        click.echo("Nothing new since the run below; what is live stays.\n")
    click.echo(as_markdown(outcome.report))


@main.command()
@click.option("--port", default=3001, show_default=True)
@click.pass_obj
def dev(home: Home, port: int) -> None:
    """Open Dagster's web interface with the whole graph, on this computer only."""
    _enter(home)
    command = [
        "dagster",
        "dev",
        "-m",
        "orchestration.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    os.execv(Path(sys.executable).with_name("dagster"), command)  # noqa: S606


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Report as JSON.")
@click.pass_obj
def doctor(home: Home, *, as_json: bool) -> None:
    """Check the installation, the home and the services; exit 1 if something is wrong."""
    from orchestration.cli.doctor import examine

    _enter(home)
    findings = examine(home)
    if as_json:
        _print_json([finding.__dict__ for finding in findings])
    for finding in () if as_json else findings:
        click.echo(f"{'ok ' if finding.ok else 'NOT'}  {finding.what}: {finding.detail}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@main.command()
@click.option("--events", default=120_000, show_default=True, help="Size of the sample city.")
@click.option("--json", "as_json", is_flag=True, help="Print what came out as JSON.")
@click.pass_obj
def demo(home: Home, events: int, *, as_json: bool) -> None:
    """Run the main job on a sample city, ask the packaged service, print what came out."""
    from orchestration.cli.demo import show

    _enter(home)
    found = show(home, events)
    if as_json:
        _print_json(found)


def _ensure_manifest(home: Home) -> None:
    from orchestration.warehouse.dbt_command import ensure_manifest

    ensure_manifest(home)


def _facts(found: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in found.items())
