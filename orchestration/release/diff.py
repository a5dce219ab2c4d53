"""What parts two releases: how good, learned from what, of what form, over which places."""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from serving.home import Home
from serving.release import FEATURE_SCHEMA, open_release

_METRICS = ("ndcg_10", "hr_10", "mrr")


@dataclass(frozen=True)
class Difference:
    """One thing that two releases do not share."""

    what: str
    first: Any
    second: Any


def diff_releases(home: Home, first: str, second: str) -> list[Difference]:
    """Compare two releases of *home*; what is the same in both is left out.

    Raises:
        ReleaseError: one of them is no release.
    """
    one, other = (_facts(home, release_id) for release_id in (first, second))
    names = [*one, *(name for name in other if name not in one)]
    different = [name for name in names if one.get(name) != other.get(name)]
    found = [Difference(name, one.get(name), other.get(name)) for name in different]
    return found + _places(home, first, second)


def sentence(one: Difference) -> str:
    """Tell a person of one difference."""
    first, second = (
        f"{value:.4f}" if isinstance(value, float) else value for value in (one.first, one.second)
    )
    return f"{one.what}: {first} -> {second}"


def _facts(home: Home, release_id: str) -> dict[str, Any]:
    release = open_release(home.releases / release_id)
    card, config = release.card, json.loads((release.folder / "config.json").read_text())
    facts = {
        "kind": release.kind,
        "name": card["name"],
        "made": card["created_at"],
        "why": card.get("reason"),
        "data as of": card.get("as_of"),
        "training set": config["training_set_hash"][:16],
        "preset": config["preset"],
        "seed": config["seed"],
        "features": json.loads((release.folder / FEATURE_SCHEMA).read_text()),
        "bytes": sum(path.stat().st_size for path in release.folder.iterdir()),
    }
    facts |= {f"form: {name}": value for name, value in config["architecture"].items()}
    facts |= {f"training: {name}": value for name, value in card.get("training", {}).items()}
    for split, figures in card.get("metrics", {}).items():
        asked = figures.get("model" if release.kind == "model" else card["name"], {})
        facts |= {f"{name} {split}": asked[name] for name in _METRICS if name in asked}
    return facts


def _places(home: Home, first: str, second: str) -> list[Difference]:
    known = [
        set(pq.read_table(home.releases / one / "places.parquet")["place_id"].to_pylist())
        for one in (first, second)
    ]
    only = [len(known[0] - known[1]), len(known[1] - known[0])]
    return [Difference("places that the other does not know", *only)] if any(only) else []
