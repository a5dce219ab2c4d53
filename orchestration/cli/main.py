"""The command `tastemate`: each verb calls the tool or the function that does the work.

Exit codes: 0 ok, 1 failed, 2 usage, 3 refused by a gate.
"""

import sys
from pathlib import Path
from typing import Any

import click

from orchestration.cli import analyst, features, model, operations, release, sample, sources
from orchestration.cli.output import FAILED, REFUSED, STOPPED
from orchestration.home.hints import name_home, typed
from serving.home import Home


class Group(click.Group):
    """Shows an error that a person can act on as one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; our own errors end with exit code 1, a gate's with 3, Ctrl-C with 130."""
        # Before anything fails: without memory nothing can be loaded any more.
        from orchestration.home.errors import RefusedError, is_for_people
        from orchestration.home.machine_faults import in_words

        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.secho("Stopped. What is done is kept; the same command goes on.", err=True)
            sys.exit(STOPPED)
        except RefusedError as refusal:
            click.secho(typed(f"Refused: {refusal}"), fg="red", err=True)
            sys.exit(REFUSED)
        except Exception as error:
            is_ours = is_for_people(error)
            # A store in a file is away if its disk is full.
            fault = None if is_ours and not isinstance(error, ConnectionError) else (
                in_words(error, ctx.obj))  # fmt: skip
            if fault is None and not is_ours:
                raise
            told = f"{ctx.invoked_subcommand}: {fault}" if fault else str(error)
            click.secho(typed(f"Error: {told}"), fg="red", err=True)
            sys.exit(FAILED)


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
    name_home(root)


for verb in (
    operations.demo,
    sample.sample,
    operations.run,
    sources.ingest,
    sources.validate,
    sources.replay,
    sources.forget,
    sources.who,
    analyst.build,
    analyst.recheck,
    analyst.rebuild,
    analyst.diff,
    analyst.env,
    features.plan,
    features.apply,
    features.materialize,
    features.parity,
    model.train,
    model.evaluate,
    model.mlflow,
    release.release,
    release.serve,
    operations.status,
    operations.slo,
    operations.doctor,
    operations.dev,
):
    main.add_command(verb)
