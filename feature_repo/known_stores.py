"""Which online stores a home has published to, so that a person can be taken out of all of them.

The setting names the one that is in use; those used before go on holding what was put there.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from feature_repo.files import write_whole
from feature_repo.layout import Layout
from feature_repo.settings import online_url, store_identity

_KEPT = TypeAdapter(dict[str, str])


class KnownStoresError(ValueError):
    """What a home remembers of its online stores cannot be read."""


@dataclass(frozen=True)
class KnownStore:
    """An online store that rows were put into.

    identity  which one it is, without secrets
    url       where it is, as in `TASTEMATE_ONLINE`; empty: SQLite in the home; None: not known,
              for earlier versions kept no more than a fingerprint of the identity
    """

    identity: str
    url: str | None


def fingerprint(identity: str) -> str:
    """Give the part of a file's name that tells of which store it is."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def remember(home_root: Path, identity: str, url: str) -> None:
    """Keep where a store is, before anything is put there."""
    kept = _kept(home_root)
    if kept.get(identity) != url:
        text = _KEPT.dump_json({**kept, identity: url}, indent=2).decode()
        write_whole(Layout(home_root).online_stores, text + "\n", mode=0o600)  # with passwords


def known_stores(home_root: Path) -> list[KnownStore]:
    """List the stores that the home has published to, each once.

    Raises:
        KnownStoresError: the file that tells of them holds something else.
    """
    layout = Layout(home_root)
    kept = _kept(home_root)
    # The home may have been moved since; its own SQLite store has moved with it.
    stores = {store_identity(home_root, url): url for url in kept.values()}
    told = {fingerprint(identity) for identity in (*kept, *stores)}
    used = {path.stem.rpartition("-")[2] for path in layout.published.glob("*.sqlite")}
    for url in ("", online_url()):
        identity = store_identity(home_root, url)
        if fingerprint(identity) in used - told:
            stores[identity] = url
            told.add(fingerprint(identity))
    unknown = [KnownStore(f"fingerprint {name}", None) for name in sorted(used - told)]
    return [*(KnownStore(*store) for store in sorted(stores.items())), *unknown]


def _kept(home_root: Path) -> dict[str, str]:
    path = Layout(home_root).online_stores
    if not path.exists():
        return {}
    try:
        return _KEPT.validate_json(path.read_bytes())
    except ValidationError as error:
        raise KnownStoresError(
            f"{path}: it should tell an address for each online store, as "
            '{"redis:localhost:6379,db=0": "redis://localhost:6379/0"}. Mend it: without it, '
            "nobody can be taken out of stores that are no longer in use."
        ) from error
