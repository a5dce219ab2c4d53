"""Time travel: marts and features as known at a moment, built from the raw archive alone."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.typed_json import read_json
from orchestration.home.console import say
from orchestration.home.places import made_at
from orchestration.landing import recover
from orchestration.landing.ledger import Ledger
from orchestration.landing.tombstones import Tombstones
from orchestration.warehouse.dbt_command import run_dbt
from orchestration.warehouse.dbt_lines import DbtLines
from orchestration.warehouse.state_hash import ModelState, State, models_handed_on, state_of
from serving.home import Home


class RebuildError(RuntimeError):
    """A past day cannot be rebuilt."""


@dataclass(frozen=True)
class _PastRun:
    """What is asked of the report of a run of any version."""

    run_id: str
    state: State | None = None


@dataclass(frozen=True)
class RebuildReport:
    """What the command tells of a rebuild."""

    folder: str
    as_of: str
    state_hash: str
    models: Mapping[str, ModelState]
    run_id: str | None
    published_state_hash: str | None
    differing: list[str]
    forgotten_since: int
    holds: bool


@dataclass(frozen=True)
class Rebuilt:
    """A past state, where it lies, and what a run published then, if one did.

    ``published`` is the state in the report of the run ``run_id`` of the same moment.
    ``differing`` names the models that are not as published, ``forgotten_since`` counts the
    people who have asked since that moment to be forgotten, and whom no rebuild can have.
    ``first_known_at`` is when the first event became known of all that have landed by now; it is
    told where none was known at the moment that was asked for.
    """

    folder: Path
    state: State
    run_id: str | None
    published: State | None
    differing: list[str]
    forgotten_since: int = 0
    first_known_at: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no event was known at that moment."""
        return self.state.models["marts/fct_events"].rows == 0

    @property
    def holds(self) -> bool:
        """Whether nothing differs from what was published, but for people who were forgotten.

        A model that was added to the project since then contradicts nothing.
        """
        return not self.differing or self.forgotten_since > 0 or self.is_only_more

    @property
    def is_only_more(self) -> bool:
        """Whether all that differs are models that were not published at that moment."""
        then = self.published.models if self.published else {}
        return bool(self.differing) and not any(name in then for name in self.differing)

    @property
    def is_well(self) -> bool:
        """Whether it holds, and is no moment before everything that nobody has asked about."""
        return self.holds and not (self.is_empty and self.run_id is None)

    def report(self) -> RebuildReport:
        """Give the facts as the command reports them."""
        return RebuildReport(
            folder=str(self.folder),
            as_of=self.state.as_of,
            state_hash=self.state.state_hash,
            models=self.state.models,
            run_id=self.run_id,
            published_state_hash=self.published.state_hash if self.published else None,
            differing=self.differing,
            forgotten_since=self.forgotten_since,
            holds=self.holds,
        )


def rebuild(home: Home, as_of: datetime, out: Path | None = None) -> Rebuilt:
    """Build marts and features as known at *as_of* into *out*, a folder laid out as a home.

    A file counts if it had landed by then. Of a moment before the first landing there is what
    the bulk loads tell of it.

    What the tombstones refuse is erased from the archive first, should somebody have put it back.

    Raises:
        LandingBusyError: something is landing, and people were forgotten.
        RebuildError: nothing has landed, or *out* holds something else.
        PlaceError: *out* cannot be written to.
        DbtError: dbt could not build.
    """
    if not home.landed_files.exists():
        raise RebuildError(f"{home.root}: nothing has landed here, so there is no day to rebuild.")
    tombstones = Tombstones(home)
    if tombstones:
        recover(home)
    as_of = as_of.astimezone(UTC)
    folder = out or home.rebuild_of(as_of)
    target = Home(folder.expanduser().resolve())
    _make_room(target)
    _lay_out(home, target, as_of)
    build = ("build", "--exclude-resource-type", "unit_test")
    run_dbt(target, *build, now=as_of, tell=DbtLines().write)
    state = state_of(target, models_handed_on(target))
    run_id, published = _published_at(home, state.as_of)
    differing = _differing(state, published)
    forgotten = tombstones.asked_since(datetime.fromisoformat(state.as_of))
    rebuilt = Rebuilt(target.root, state, run_id, published, differing, forgotten)
    return replace(rebuilt, first_known_at=_first_known(home)) if rebuilt.is_empty else rebuilt


def moment_of(text: str) -> datetime:
    """Read a moment; one without a zone is UTC.

    Raises:
        ValueError: *text* is no moment in ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment in ISO 8601, such as 2024-03-01 or 2024-03-01T04:00:00Z."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def verdict(rebuilt: Rebuilt) -> str:
    """Say what came out, and whether it is what was published."""
    rows = ", ".join(f"{name} {model.rows:,}" for name, model in rebuilt.state.models.items())
    summary = f"{rebuilt.folder}: {rows}\nState hash {rebuilt.state.state_hash}"
    if rebuilt.is_empty:
        since = f" The first became known at {rebuilt.first_known_at}."
        return (
            f"{summary}\nNo event was known at that moment, so there is nothing in the tables."
            f"{since if rebuilt.first_known_at else ''}"
        )
    if rebuilt.published is None:
        return f"{summary}\nNo run of this home published that very moment."
    if not rebuilt.differing:
        return f"{summary}\nAs run {rebuilt.run_id} published it."
    differing = ", ".join(rebuilt.differing)
    if rebuilt.is_only_more:
        return (
            f"{summary}\nAs run {rebuilt.run_id} published it; these it did not have yet: "
            f"{differing}."
        )
    if rebuilt.holds:
        return (
            f"{summary}\nAs run {rebuilt.run_id} published it modulo erased people: "
            f"{rebuilt.forgotten_since} asked since to be forgotten, so these differ: {differing}."
        )
    return (
        f"{summary}\nRun {rebuilt.run_id} published something else: {differing}. "
        "Where it is still there, see which rows: "
        f"tastemate diff FILE {rebuilt.folder / rebuilt.differing[0]}.parquet --key COLUMN"
    )


def _first_known(home: Home) -> str | None:
    """Ask the home's own marts when the first event became known; None where it has none."""
    events = home.handed_on("marts/fct_events")
    if not events.exists():
        return None
    first = pc.min(pq.read_table(events, columns=["known_at"])["known_at"]).as_py()
    return first.astimezone(UTC).isoformat() if first else None


def _make_room(target: Home) -> None:
    """Remove an earlier rebuild of the same place, and nothing else."""
    if target.root.exists():
        if not target.rebuilt_mark.exists():
            raise RebuildError(
                f"{target.root}: is there already, and no rebuild made it. Choose another --out."
            )
        shutil.rmtree(target.root)
    below = (target.raw, target.warehouse.parent, target.dbt, target.marts, target.features)
    with made_at(target.root, "--out"):
        for folder in below:
            folder.mkdir(parents=True)
        target.rebuilt_mark.touch()


def _lay_out(home: Home, target: Home, as_of: datetime) -> None:
    """Give *target* the archive, and the ledger as it was."""
    lines = home.lines.resolve()
    if target.root.is_relative_to(home.root.resolve()):
        # So that a copy of the home does not point to where the home was.
        lines = Path(os.path.relpath(lines, target.raw))
    target.lines.symlink_to(lines, target_is_directory=True)
    if home.excluded_people.exists():
        shutil.copy(home.excluded_people, target.excluded_people)
    ledger = Ledger(home)
    try:
        files = ledger.files_as_of(as_of)
        ledger.export_files(files, target)
    finally:
        ledger.close()
    if not files:
        raise RebuildError(
            f"{home.ledger}: no file had landed by {as_of.isoformat()}, and no bulk load tells of "
            "that time."
        )
    say(f"{len(files)} files of the archive")


def _published_at(home: Home, as_of: str) -> tuple[str | None, State | None]:
    """Find the report of a run that published the state of the moment *as_of*."""
    for path in home.run_reports():
        report = read_json(path, _PastRun)
        if report.state and report.state.as_of == as_of:
            return report.run_id, report.state
    return None, None


def _differing(state: State, published: State | None) -> list[str]:
    if published is None:
        return []
    here, there = state.models, published.models
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
