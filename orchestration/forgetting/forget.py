"""Erasure of a person: step by step, each of which can be done again, and the proof at the end."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from orchestration.forgetting import derived
from orchestration.forgetting.archive import Erased, erase_lines
from orchestration.forgetting.person import Person
from orchestration.forgetting.proof import Found, Proof, prove
from orchestration.forgetting.records import blot_out
from orchestration.home.console import say
from orchestration.home.lock import alone_rebuilding
from orchestration.landing import recover
from orchestration.landing.tombstones import Tombstones
from orchestration.runs import held
from orchestration.warehouse.held import wait_until_free
from serving.home import Home, now
from serving.vault import Vault


@dataclass(frozen=True)
class Forgotten:
    """What was done about one person; it names nobody.

    was_in  where they were found before, and how often
    """

    requested_at: str
    was_in: list[Found] = field(default_factory=list)
    erased: Erased = field(default_factory=Erased)
    indexes: int = 0
    training_sets: int = 0
    records: int = 0
    proof: Proof = field(default_factory=Proof)


def forget(home: Home, user_id: str, *, even_if_unknown: bool = False) -> Forgotten:
    """Erase the user whom the product calls *user_id* from every store of *home*, and prove it.

    A run or landing of before cannot bring them back, for the tombstone comes before all else.
    Killed anywhere, the same call completes it. For somebody of whom nothing is found, and who was
    never forgotten here, nothing is done: the id may be a slip. *even_if_unknown* leaves a
    tombstone all the same.

    Raises:
        BusyError: a run holds the home.
        LandingBusyError: something is landing.
        WarehouseHeldError: somebody has the warehouse open, and goes on having it open.
        KeyFaultError: nothing ever landed here, or a key is missing.
        DbtError: the models could not be built anew.
        OnlineStoreUnavailable: the online store does not answer.
        ParityError: it is not as the features are.
    """
    person = Person.of(home, user_id)
    with held(home), alone_rebuilding(home):
        # A dbt that began before this cannot go on beside it: what it builds would have them again.
        wait_until_free(home)
        requested_at, tombstones = now(), Tombstones(home)
        say("looking where the person is")
        before = prove(home, person)
        is_known = before.found or person.pseudonym in tombstones
        if is_known or even_if_unknown:
            tombstones.add(person.pseudonym, requested_at)
            say("a tombstone refuses what was known until now")
        is_cut_short = is_known and home.forgetting.exists()
        if not (before.found or is_cut_short):
            return Forgotten(requested_at.isoformat(), proof=before)
        with _finished(home):
            erased = _erase(home, person)
        say("proof: looking everywhere again")
        return Forgotten(
            requested_at.isoformat(), before.found, **vars(erased), proof=prove(home, person)
        )


@dataclass(frozen=True)
class _Erasure:
    """What the steps erased."""

    erased: Erased
    indexes: int
    training_sets: int
    records: int


def _erase(home: Home, person: Person) -> _Erasure:
    """Do the steps: first what people are served from, then what is read at leisure."""
    if home.vault.exists():
        with closing(Vault.create(home)) as vault:
            vault.forget([person.pseudonym])
    say("vault: nothing leads back to the id any more")
    indexes = derived.take_out_of_indexes(home, person)
    say(f"indexes: {indexes} made anew")
    erased = erase_lines(home, person)
    say(
        f"archive: {erased.lines:,} lines erased, {erased.quarantined:,} of them from quarantine; "
        f"{erased.mentions:,} lines of others mentioned the person"
    )
    derived.take_out_of_excluded(home, person)
    derived.remove_rebuilds(home)
    training_sets = derived.remove_training_sets(home, person)
    say(f"training sets: {training_sets} removed; the next run makes a new one")
    records = blot_out(home, person)
    recover(home)  # writes anew what dbt reads of the ledger
    derived.build_anew(home)
    derived.publish_anew(home, person)
    return _Erasure(erased, indexes, training_sets, records)


@contextmanager
def _finished(home: Home) -> Iterator[None]:
    """Remember, until all steps are done, that they are not."""
    home.state.mkdir(parents=True, exist_ok=True)
    home.forgetting.touch()
    yield
    home.forgetting.unlink()
