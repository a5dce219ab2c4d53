"""Verbs of sources: land their files, tell what would land, read again, forget a person."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from orchestration.cli.output import Report, enter, reports
from serving.home import Home


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
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="Seed of city and training.",
        ),
        click.option(
            "--events",
            type=click.IntRange(min=1),
            default=120_000,
            show_default=True,
            help="Size of a new city.",
        ),
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
        click.option(
            "--source",
            type=click.Choice(["sample", "interactions", "kafka"]),
            help="Where events come from [default: every source known to the home].",
        ),
    ):
        decorated = option(decorated)
    return decorated


@click.command()
@source_options
@reports
@click.pass_obj
def ingest(home: Home, chosen: ChosenSource) -> Report:
    """Land new files of a source, or of all sources known, in the raw archive."""
    from orchestration.landing.registered import sentence
    from orchestration.runs import land_sources

    enter(home)
    chosen.register(home)
    landed = land_sources(home)
    return Report(landed, "\n".join(map(sentence, landed)))


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Mapping file [default: the sample's own documents].")  # fmt: skip
@reports
@click.pass_obj
def validate(home: Home, path: Path, mapping: Path | None) -> Report:
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
    return Report(
        verdicts,
        "\n".join(map(sentence, verdicts)),
        is_well=all(verdict.is_fit for verdict in verdicts),
    )


@click.command()
@click.option("--reason", help="Only lines that were set aside for it, such as not_text.")
@click.option("--through", metavar="COMMAND",
              help="A command that mends the lines: it reads them and writes as many.")  # fmt: skip
@click.option("--dry-run", "is_trial", is_flag=True, help="Tell what would land; land nothing.")
@reports
@click.pass_obj
def replay(home: Home, reason: str | None, through: str | None, *, is_trial: bool) -> Report:
    """Read quarantined lines once more, and land those that can be read now."""
    from orchestration.home.lock import alone
    from orchestration.landing.replay import replay as again
    from orchestration.landing.replay import sentence

    with alone(home):
        replayed = again(home, reason, through, is_trial=is_trial)
    sentences = [sentence(one, is_trial=is_trial) for one in replayed]
    if not replayed:
        of_what = f"of the reason {reason}" if reason else "that landing could not read"
        sentences.append(f"No line {of_what} waits in quarantine.")
    elif any(one.file_id for one in replayed):
        sentences.append(
            "Take them into the marts: tastemate build; and on to what is live: tastemate run"
        )
    return Report(replayed, "\n".join(sentences))


@click.command()
@click.argument("user")
@click.option("--prove", "only_prove", is_flag=True, help="Only look; erase nothing.")
@click.option("--even-if-unknown", is_flag=True,
              help="Of a USER of whom nothing is found, too, refuse what was known.")  # fmt: skip
@reports
@click.pass_obj
def forget(home: Home, user: str, *, only_prove: bool, even_if_unknown: bool) -> Report:
    """Erase the USER, by the product's own id, from every store, and prove it.

    Run it again if it was stopped. Exit 1 where the proof finds the user anywhere, where a store
    that was published to cannot be reached, and where nothing is known of the user, so that
    nothing was done.
    """
    if not user:
        # Nothing would be found everywhere.
        raise click.BadParameter("it is empty.", param_hint="USER")
    from orchestration.forgetting import report
    from orchestration.forgetting.forget import forget as erase
    from orchestration.forgetting.person import Person
    from orchestration.forgetting.proof import prove
    from orchestration.landing.tombstones import Tombstones

    enter(home)
    done = None if only_prove else erase(home, user, even_if_unknown=even_if_unknown)
    person = Person.of(home, user)
    proof = done.proof if done else prove(home, person)
    is_on_record = person.pseudonym in Tombstones(home)
    words = report.sentences(done, proof, is_on_record=is_on_record)
    reported = (
        report.ForgetReport(**vars(done), is_on_record=is_on_record) if done
        else report.ProofReport(**vars(proof), is_on_record=is_on_record)
    )  # fmt: skip
    is_a_slip = done is not None and not is_on_record
    return Report(reported, words, is_well=proof.holds and not is_a_slip)


@dataclass(frozen=True)
class Who:
    """By which pseudonym marts and features know a user, and whether the vault knows them."""

    pseudonym: str
    is_known: bool


@click.command()
@click.argument("user")
@reports
@click.pass_obj
def who(home: Home, user: str) -> Report:
    """Tell the pseudonym of the USER, by the product's own id, as marts and features have it.

    It takes the keys of pseudonyms and vault. Exit 1 where nobody of that id has landed.
    """
    from contextlib import closing

    from serving.pseudonyms import Pseudonyms
    from serving.vault import Vault

    pseudonym = Pseudonyms(home.keys).of(user)
    with closing(Vault(home)) as vault:
        is_known = bool(vault.reveal([pseudonym]))
    words = pseudonym if is_known else (
        "Nobody of that id has landed here, or they were forgotten. Look whether the id is as the "
        "product writes it."
    )  # fmt: skip
    return Report(Who(pseudonym, is_known), words, is_well=is_known)
