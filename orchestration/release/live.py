"""Which release the run has made, which is live, and which was before (promotion, rollback)."""

import json
from typing import Any

from orchestration.home.atomic_files import read_json, write_atomically
from orchestration.home.errors import RefusedError
from orchestration.model import store as model_store
from serving import champion, index
from serving.home import Home
from serving.release import Release, ReleaseError, open_release, verify


def remember_candidate(home: Home, release_id: str, reason: str) -> None:
    """Keep which release the run has made, until it is promoted."""
    candidate = {"release_id": release_id, "reason": reason}
    write_atomically(home.candidate, json.dumps(candidate))


def candidate(home: Home) -> tuple[Release, str]:
    """Open the release that the run has made; why it was chosen comes with it."""
    kept = read_json(home.candidate)
    if kept is None:
        raise ReleaseError(f"{home.releases}: no release has been made yet. Run: tastemate run")
    return open_release(home.releases / kept["release_id"]), kept["reason"]


def promote(home: Home, release_id: str, reason: str) -> champion.Champion:
    """Make a release live by hand, with its newest index; runs keep it until a new model is there.

    Raises:
        RefusedError: its content is not what its name says, or it has no index.
        ReleaseError: there is no such release.
    """
    known = sorted(path.name for path in home.releases.glob("*") if path.is_dir())
    if release_id not in known:
        raise ReleaseError(
            f"{home.releases}: there is no release {release_id}. Those that are there: "
            f"{', '.join(known) or 'none; make one: tastemate run'}."
        )
    try:
        verify(home.releases / release_id)
        newest = index.newest(home.indexes, release_id)
    except (ReleaseError, index.IndexFaultError) as error:
        raise RefusedError(str(error)) from None
    live = champion.promote(home, release_id, newest.index_id, reason)
    held = {"release_id": release_id, "model": _latest_model(home)}
    write_atomically(home.promoted_by_hand, json.dumps(held))
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


def list_releases(home: Home) -> list[dict[str, Any]]:
    """List id, kind, time and reason of the home's releases, newest first."""
    live = champion.read(home).release_id if home.champion.exists() else None
    found = [open_release(card.parent) for card in home.releases.glob("[!.]*/card.json")]
    entries = [
        {
            "release_id": release.release_id,
            "kind": release.kind,
            "created_at": release.card["created_at"],
            "reason": release.card.get("reason", ""),
            "is_champion": release.release_id == live,
        }
        for release in found
    ]
    return sorted(entries, key=lambda entry: str(entry["created_at"]), reverse=True)


def kept_by_hand(home: Home) -> str | None:
    """Name the release that was promoted by hand, while no other model has been trained since."""
    held = read_json(home.promoted_by_hand)
    return str(held["release_id"]) if held and held["model"] == _latest_model(home) else None


def _latest_model(home: Home) -> Any:
    _, model = model_store.pointers(home)
    return read_json(model)
