"""Verbs of analysts: build the marts, have a day again, compare tables, use the stock tools."""

import shlex
import sys
from datetime import UTC
from pathlib import Path

import click

from orchestration.cli.output import Report, at_work, enter, reports
from serving.home import Home


@click.command()
@click.pass_obj
def env(home: Home) -> None:
    """Print the exports after which dbt, feast, dagster, bentoml and mlflow work on the home.

    Use it as: eval "$(tastemate env)"
    """
    from orchestration.home import environment

    environment.enter(home)
    for name, value in environment.exports(home).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("dbt_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def build(home: Home, dbt_arguments: tuple[str, ...]) -> None:
    """Run `dbt build` on the home; further arguments go on to dbt."""
    from orchestration.warehouse.dbt_command import run_dbt_aloud

    enter(home)
    with at_work(home):
        run_dbt_aloud(home, "build", *dbt_arguments)


@click.command()
@click.option("--people", type=click.IntRange(min=1), default=2000, show_default=True,
              help="About how many people to compare.")  # fmt: skip
@reports
@click.pass_obj
def recheck(home: Home, people: int) -> Report:
    """Compare marts and features with a full refresh, for a sample; exit 1 where rows differ."""
    from orchestration.home.lock import alone_rebuilding
    from orchestration.warehouse.recheck import recheck as compare
    from orchestration.warehouse.recheck import verdict

    enter(home)
    with alone_rebuilding(home):
        found = compare(home, people)
    return Report(found, verdict(found), is_well=found.holds)


@click.command()
@click.option("--as-of", "as_of", required=True, metavar="TIME",
              help="A moment in ISO 8601; without a zone it is UTC.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path),
              help="Folder to build into [default: rebuilds/ of the home].")  # fmt: skip
@reports
@click.pass_obj
def rebuild(home: Home, as_of: str, out: Path | None) -> Report:
    """Build marts and features as known at a moment, from the raw archive alone.

    Exit 1 where a run published that moment and something came out otherwise, and where no event
    was known by then.
    """
    from orchestration.home.lock import alone_rebuilding
    from orchestration.warehouse.rebuild import moment_of, verdict
    from orchestration.warehouse.rebuild import rebuild as again

    try:
        moment = moment_of(as_of).astimezone(UTC)
    # At the ends of the calendar a zone leads out of it.
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from error
    enter(home)
    with alone_rebuilding(home):
        rebuilt = again(home, moment, out)
    return Report(rebuilt.report(), verdict(rebuilt), is_well=rebuilt.is_well)


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--key", required=True, help="The columns that name a row, with commas between.")
@click.option("--examples", type=click.IntRange(min=0), default=5, show_default=True,
              help="So many keys of each kind.")  # fmt: skip
@reports
def diff(a: str, b: str, key: str, examples: int) -> Report:
    """Find the rows in which table A and table B differ; exit 1 where there are such rows.

    A and B are each a .parquet, .csv or .jsonl file, a folder of Parquet files, or a table in a
    database: FILE.duckdb::SCHEMA.TABLE or FILE.sqlite::TABLE.
    """
    from orchestration.warehouse import table_diff

    found = table_diff.diff(a, b, [name.strip() for name in key.split(",")], examples)
    return Report(found, table_diff.sentence(found), is_well=found.is_equal)
