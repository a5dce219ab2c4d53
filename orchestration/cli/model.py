"""Verbs of the model: train it, evaluate it, look at what was trained."""

import os
from pathlib import Path

import click
from click.core import ParameterSource

from models_ml.presets import PRESETS
from orchestration.cli.output import Report, enter, reports
from orchestration.home.hints import typed
from serving.home import Home

PRESET = click.Choice(list(PRESETS))


@click.command()
@click.option("--preset", type=PRESET,
              help="Size of the model [default: as before, or by size of the data].")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the training.")  # fmt: skip
@click.option("--export", "target", type=click.Path(file_okay=False, path_type=Path),
              help="Write the training set there instead, for another machine.")  # fmt: skip
@click.option("--adopt", "source", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Take the model folder made there as this home's model.")  # fmt: skip
@click.pass_context
def train(
    ctx: click.Context, preset: str | None, seed: int, target: Path | None, source: Path | None
) -> None:
    """Train on the home's features, as the Dagster asset model/recommender.

    --export and --adopt train nothing here: each stands alone.
    """
    from orchestration import asset_keys as keys
    from orchestration.home.console import say
    from orchestration.model import store
    from orchestration.model.assets import Training
    from orchestration.runs import materialize

    home: Home = ctx.obj
    if target or source:
        _refuse_beside(ctx, "target" if target else "source")
    enter(home)
    if target:
        exported = store.export_training_set(home, target)
        click.echo(typed(
            f"{target}: training set {exported.hash[:16]}. Train there, then come back with "
            "'tastemate train --adopt DIR'."
        ))  # fmt: skip
        return
    if source:
        say("counting anew what answers beside the network")
        store.adopt(home, source)
        materialize(home, [keys.RECOMMENDER], Training(seed=seed))
    else:
        training = Training(preset=preset, seed=seed, anew=True)
        materialize(home, [keys.TRAINING_SET, keys.RECOMMENDER], training)
    click.echo(typed(
        f"The home's model: {store.current_model(home).path}\n"
        "Judge it, and release it where it is best: tastemate run"
    ))  # fmt: skip


def _refuse_beside(ctx: click.Context, alone: str) -> None:
    """Refuse any other option beside the one that stands *alone*.

    Raises:
        UsageError: another was given.
    """
    options = {option.name: option.opts[0] for option in ctx.command.params}
    for name, option in options.items():
        is_given = ctx.get_parameter_source(name or "") == ParameterSource.COMMANDLINE
        if is_given and name != alone:
            raise click.UsageError(f"{options[alone]} trains nothing here; leave {option} out.")


@click.command()
@click.option(
    "--gate",
    is_flag=True,
    help="Exit 3 unless the model may be released; the reasons go to stderr.",
)
@reports
@click.pass_obj
def evaluate(home: Home, *, gate: bool) -> Report:
    """Rank all places for held-out events, with the model and with every baseline."""
    from models_ml.evaluation.report import Evaluation
    from orchestration import asset_keys as keys
    from orchestration.model.quality_tables import quality_tables
    from orchestration.model.store import current_model
    from orchestration.runs import materialize

    enter(home)
    current_model(home)
    materialize(home, [keys.EXPORT, keys.EVALUATION])
    judged = Evaluation.read(current_model(home))
    refusal = "" if judged.passes or not gate else "\n".join(judged.refusals)
    verdict = ["It passes the gate."] if judged.passes else ["The gate refuses it:"]
    verdict += [f"- {reason}" for reason in judged.refusals]
    words = [
        quality_tables(judged.quality, judged.histories),
        *([] if refusal else ["\n".join(verdict)]),
    ]
    return Report(judged, "\n\n".join(words), refusal=refusal)


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=5000, show_default=True,
              help="Port on loopback.")  # fmt: skip
@click.pass_obj
def mlflow(home: Home, port: int) -> None:
    """Open MLflow's page on the home's trainings and releases, on this computer only.

    Its first start makes MLflow's own environment, about 700 MB. Ctrl-C or SIGTERM ends it.
    """
    from orchestration.delivery.mlflow_page import command

    starting = command(home, port)
    enter(home)
    # Jobs are for traces and judges, of which there are none here.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    page = f"http://127.0.0.1:{port}/#"
    click.echo(f"Trainings: {page}/experiments  releases: {page}/models/tastemate", err=True)
    os.execv(starting[0], starting)  # noqa: S606
