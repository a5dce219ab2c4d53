"""What parts two releases: how good, learned from what, of what form, over which places."""

import json
from dataclasses import dataclass

import pyarrow.parquet as pq
from pydantic import JsonValue

from models_ml.evaluation.report import MODEL
from models_ml.model_folder import ModelFolder
from serving.home import Home
from serving.release import FEATURE_SCHEMA, open_release


@dataclass(frozen=True)
class Difference:
    """One thing that two releases do not share."""

    what: str
    first: JsonValue
    second: JsonValue


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


def _facts(home: Home, release_id: str) -> dict[str, JsonValue]:
    release = open_release(home.releases / release_id)
    card, config = release.card, release.model.read_config()
    facts: dict[str, JsonValue] = {
        "kind": release.kind,
        "name": card.name,
        "made": card.created_at,
        "why": card.reason,
        "data as of": card.as_of,
        "training set": config.training_set_hash[:16],
        "preset": config.preset,
        "seed": config.seed,
        "features": json.loads((release.folder / FEATURE_SCHEMA).read_text()),
        "bytes": sum(path.stat().st_size for path in release.folder.iterdir()),
    }
    facts |= {f"form: {name}": value for name, value in config.architecture.items()}
    facts |= {f"training: {name}": value for name, value in vars(card.training).items()}
    for split, quality in card.metrics.items():
        asked = quality.get(MODEL if release.kind == "model" else card.name)
        if asked:
            told = {"ndcg_10": asked.ndcg_10, "hr_10": asked.hr_10, "mrr": asked.mrr}
            facts |= {f"{name} {split}": value for name, value in told.items()}
    return facts


def _places(home: Home, first: str, second: str) -> list[Difference]:
    known = [
        set(pq.read_table(ModelFolder(home.releases / one).places)["place_id"].to_pylist())
        for one in (first, second)
    ]
    only = [len(known[0] - known[1]), len(known[1] - known[0])]
    return [Difference("places that the other does not know", *only)] if any(only) else []
