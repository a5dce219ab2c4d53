"""Which release the run has made, which is live, and which was before (promotion, rollback)."""

from dataclasses import dataclass
from typing import Literal

from orchestration.home.console import say
from orchestration.home.errors import RefusedError
from orchestration.home.state_files import Candidate, Held, Pointers
from serving import champion, index
from serving.home import Home
from serving.release import CARD, Release, ReleaseError, open_release, verify


def remember_candidate(home: Home, release_id: str, reason: str) -> None:
    """Keep which release the run has made, until it is promoted."""
    Pointers(home).candidate.write(Candidate(release_id, reason))


def candidate(home: Home) -> tuple[Release, str]:
    """Open the release that the run has made; why it was chosen comes with it."""
    kept = Pointers(home).candidate.read()
    if kept is None:
        raise ReleaseError(f"{home.releases}: no release has been made yet. Run: tastemate run")
    return open_release(home.releases / kept.release_id), kept.reason


def named(home: Home, told: str | None = None) -> str:
    """Find the release that *told* names: its id, or a beginning of it that no other id has.

    Without it, what is live is meant.

    Raises:
        NoChampionError: nothing is live.
        ReleaseError: there is no such release, or several.
    """
    if told is None:
        return champion.read(home).release_id
    known = sorted(path.name for path in home.releases.glob("[!.]*") if path.is_dir())
    meant = [told] if told in known else [one for one in known if told and one.startswith(told)]
    if len(meant) == 1:
        return meant[0]
    several = f"several begin with {told}: {', '.join(meant)}. Write more of the id."
    none = (
        f"there is no release {told}. Those that are there: "
        f"{', '.join(known) or 'none; make one: tastemate run'}."
    )
    raise ReleaseError(f"{home.releases}: {several if meant else none}")


def promote(home: Home, release_id: str, reason: str) -> champion.Champion:
    """Make a release live by hand, with its newest index; runs keep it until a new model is there.

    Raises:
        RefusedError: its content is not what its name says, or it has no index.
        ReleaseError: there is no such release.
    """
    release_id = named(home, release_id)
    try:
        verify(home.releases / release_id)
        newest = index.newest(home.indexes, release_id)
    except (ReleaseError, index.IndexFaultError) as error:
        raise RefusedError(str(error)) from None
    live = champion.promote(home, release_id, newest.index_id, reason)
    try:
        Pointers(home).held.write(Held(release_id, Pointers(home).model.read()))
    except OSError as error:
        # It is live all the same; what is lost is that it was a person who wanted it.
        say(f"{home.promoted_by_hand}: not written ({error}), so the next run may replace it")
    return live


def roll_back(home: Home, reason: str) -> champion.Champion:
    """Make live what was live before, as `promote` does; once more, and it is undone.

    Raises:
        RefusedError: nothing else was live before, or it may not be live again.
    """
    now_live = champion.read(home).release_id
    before = [entry.release_id for entry in champion.log(home) if entry.release_id != now_live]
    if not before:
        raise RefusedError(f"{now_live} is the only release that has been live in {home.root}.")
    return promote(home, before[-1], reason)


def kept_by_hand(home: Home) -> str | None:
    """Name the release that was promoted by hand, while no other model has been trained since."""
    held = Pointers(home).held.read()
    return held.release_id if held and held.model == Pointers(home).model.read() else None


@dataclass(frozen=True)
class ListedRelease:
    """A release of the home, as `tastemate release ls` lists it."""

    release_id: str
    kind: Literal["model", "baseline"]
    created_at: str
    reason: str
    is_champion: bool


def list_releases(home: Home) -> list[ListedRelease]:
    """List id, kind, time and reason of the home's releases, newest first."""
    live = champion.read(home).release_id if home.champion.exists() else None
    cards = [open_release(card.parent).card for card in home.releases.glob(f"[!.]*/{CARD}")]
    listed = [
        ListedRelease(
            card.release_id, card.kind, card.created_at, card.reason or "", card.release_id == live
        )
        for card in cards
    ]
    return sorted(listed, key=lambda one: one.created_at, reverse=True)
