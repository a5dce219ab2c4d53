"""Verbs of features: agree to their definitions, register them, publish them, compare them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from orchestration.cli.output import Report, at_work, enter, reports
from serving.home import Home

if TYPE_CHECKING:
    from feature_repo.parity_report import ParityReport


@dataclass(frozen=True)
class Plan:
    """How the feature models differ from the lock, and whether that was accepted."""

    differences: list[str]
    accepted: bool


@click.command()
@click.option("--accept", is_flag=True, help="Rewrite the lock as the feature models are.")
@reports
@click.pass_obj
def plan(home: Home, *, accept: bool) -> Report:
    """Compare the feature models with the committed lock of what may go online.

    Exit 1 where models and lock differ and that is not accepted.
    """
    from feature_repo import lock
    from orchestration.warehouse.dbt_command import ensure_manifest

    enter(home)
    ensure_manifest(home)
    differences = lock.accept(home.root) if accept else lock.plan(home.root)
    hint = (
        f"{lock.LOCK.name} rewritten; commit it." if accept else
        "Accept them: tastemate plan --accept"
    )  # fmt: skip
    words = [*differences, hint] if differences else ["The feature models are as the lock says."]
    return Report(
        Plan(differences, accepted=accept),
        "\n".join(words),
        is_well=accept or not differences,
    )


@click.command()
@click.pass_obj
def apply(home: Home) -> None:
    """Register the feature models with Feast, if they are as the lock says."""
    from feature_repo import lock
    from orchestration.warehouse.dbt_command import ensure_manifest

    enter(home)
    with at_work(home):
        ensure_manifest(home)
        applied = lock.apply(home.root)
    click.echo(f"Applied: {', '.join(applied)}")


@click.command()
@click.option("--take-offline", is_flag=True,
              help="Take keys that are gone offline, however many they are.")  # fmt: skip
@reports
@click.pass_obj
def materialize(home: Home, *, take_offline: bool) -> Report:
    """Publish the current features online and compare every key; exit 1 where a key differs.

    More than 5 % of a view's keys are taken offline only with --take-offline.
    """
    from orchestration.online.publish import publish_and_compare
    from orchestration.warehouse.dbt_command import ensure_manifest

    enter(home)
    with at_work(home):
        ensure_manifest(home)
        return _compared(publish_and_compare(home, may_take_offline=take_offline))


@click.command()
@reports
@click.pass_obj
def parity(home: Home) -> Report:
    """Compare online and offline features, key by key; exit 1 where a key differs."""
    from orchestration.online.publish import compare
    from orchestration.warehouse.dbt_command import ensure_manifest

    enter(home)
    ensure_manifest(home)
    return _compared(compare(home))


def _compared(parity: "ParityReport") -> Report:
    return Report(parity, sentences(parity), is_well=parity.holds)


def sentences(parity: "ParityReport") -> str:
    """Tell a person what a comparison found, and what was published before it."""
    from orchestration.online.publish import Materialized

    lines = []
    if isinstance(parity, Materialized):
        lines.append(
            f"Published {parity.rows:,} rows ({parity.bytes / 1e6:.1f} MB) in {parity.seconds:.1f} "
            f"s; took {parity.deleted:,} keys offline; {parity.unchanged:,} were as they are."
        )
    if parity.holds:
        lines.append(f"All {parity.keys:,} keys are online as they are offline.")
        return "\n".join(lines)
    wrong = (
        f"{count:,} {what}"
        for count, what in (
            (parity.different, "differ"),
            (parity.missing, "are not online"),
            (parity.extra, "are online only"),
        )
        if count
    )
    lines.append(
        f"Online is NOT as offline: of {parity.keys:,} keys {parity.equal:,} are equal; "
        f"{', '.join(wrong)}. Such as:"
    )
    lines += [f"  {example}" for example in parity.examples]
    if not isinstance(parity, Materialized):
        lines.append("Publish what differs anew: tastemate materialize")
    return "\n".join(lines)
