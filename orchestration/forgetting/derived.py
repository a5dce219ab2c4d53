"""What was made from a person's lines: made anew without them, or removed where a run makes it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.layout import Layout
from orchestration.delivery.analyst_copy import publish_copy
from orchestration.forgetting.online_stores import take_out
from orchestration.forgetting.person import Person
from orchestration.forgetting.records import vacuum
from orchestration.home.atomic_files import write_atomically
from orchestration.home.state_files import Pointers
from orchestration.online.comparison import last_comparison
from orchestration.online.publish import publish_and_compare
from orchestration.warehouse.dbt_command import run_dbt
from orchestration.warehouse.dbt_lines import DbtLines
from orchestration.warehouse.state_hash import models_handed_on, remember_published
from serving import champion, index
from serving.home import Home

_REASON = "its index was made anew, for a person was forgotten"


class ParityError(RuntimeError):
    """The online store is not as the features are."""


def take_out_of_indexes(home: Home, person: Person) -> int:
    """Replace each index that holds the person by the same one without them; tell how many.

    The one that is live is switched before the old one goes, and a service follows by itself.
    """
    _remove_drafts(home.indexes)
    holding = _holding(home.indexes, index.USERS, person)
    for folder in holding:
        other = index.without(folder, person.pseudonym)
        live = champion.read(home) if home.champion.exists() else None
        if live and live.index_id == folder.name:
            champion.promote(home, live.release_id, other.index_id, _REASON)
        shutil.rmtree(folder)
    return len(holding)


def remove_training_sets(home: Home, person: Person) -> int:
    """Remove each training set that holds the person; tell how many. The next run makes a new one.

    Models stay: they hold no user, only what they have learned from all.
    """
    _remove_drafts(home.training_sets)
    holding = _holding(home.training_sets, "histories.parquet", person)
    pointer = Pointers(home).training_set
    current = pointer.read()
    for folder in holding:
        if current and current.folder == folder.name:
            pointer.clear()
        shutil.rmtree(folder)
    return len(holding)


def take_out_of_excluded(home: Home, person: Person) -> None:
    """Take the person's line out of `excluded_people.csv`: who is not there counts in nothing."""
    path = home.excluded_people
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not person.traces(line)]
    if kept != lines:
        write_atomically(path, b"".join(kept))


def remove_rebuilds(home: Home) -> None:
    """Remove past days, and samples, that were built again; each can be, without the person."""
    for folder in (home.rebuilds, home.rechecks):
        shutil.rmtree(folder, ignore_errors=True)


def build_anew(home: Home) -> None:
    """Build warehouse, marts and features from the archive, the old warehouse thrown away.

    DuckDB keeps what was deleted in the free blocks of its file. Marts and features are replaced
    one by one as they are built, so that whoever reads them always finds them; the analysts' copy
    comes last.

    Raises:
        DbtError: dbt could not build.
    """
    if not (home.warehouse.exists() or any(home.marts.glob("*.parquet"))):
        return
    shutil.rmtree(home.warehouse.parent, ignore_errors=True)
    home.warehouse.parent.mkdir()
    run_dbt(home, "build", "--exclude-resource-type", "unit_test", tell=DbtLines().write)
    made = {home.handed_on(name) for name in models_handed_on(home)}
    for folder in (home.marts, home.features):
        for path in set(folder.glob("*.parquet")) - made:
            path.unlink()
    remember_published(home)
    if home.analyst_copy.exists():
        publish_copy(home)


def publish_anew(home: Home, person: Person) -> None:
    """Take the person out of each online store that was ever published to; compare the one in use.

    What is remembered of a store that held the person goes: should it be used again, the publisher
    will look at all of it and delete what is not to be there.

    Raises:
        OnlineStoreUnavailable: the online store in use does not answer.
        ParityError: it is not as the features are, even now.
    """
    layout = Layout(home.root)
    remembered = layout.published
    if not any(remembered.glob("*.sqlite")):
        return
    take_out(home, person)
    if not publish_and_compare(home, may_take_offline=True).holds:
        raise ParityError(
            f"{last_comparison(home).path}: the online store differs from the features. See which "
            "keys (tastemate parity), then run this again."
        )
    for path in remembered.glob("*.sqlite"):
        _believe_nothing_of(path, person)
        vacuum(path)
    if layout.online_store.exists():
        vacuum(layout.online_store)
    shutil.rmtree(layout.spill, ignore_errors=True)


def _believe_nothing_of(path: Path, person: Person) -> None:
    """Empty what is remembered of a store, if it is that the person is there.

    The file stays: it tells that there is such a store.
    """
    with closing(sqlite3.connect(path)) as database, database:
        asked = database.execute("select 1 from content where key = ?", (person.pseudonym,))
        if asked.fetchone():
            database.execute("delete from content")
            database.execute("delete from mark")


def _holding(folder: Path, name: str, person: Person) -> list[Path]:
    """List the folders in *folder* whose file *name* has a row of the person."""
    return sorted(
        path.parent
        for path in folder.glob(f"*/{name}")
        if pc.any(
            pc.equal(pq.read_table(path, columns=["user_id"])["user_id"], person.pseudonym)
        ).as_py()
    )


def _remove_drafts(folder: Path) -> None:
    """Remove what killed processes left half done; nobody else works on the home now."""
    for draft in folder.glob(".draft-*"):
        shutil.rmtree(draft)
