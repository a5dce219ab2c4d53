"""What parts two releases: how good, learned from what, of what form, over which places."""

import json
from dataclasses import dataclass

import pyarrow.parquet as pq
from pydantic import JsonValue, TypeAdapter, ValidationError

from feature_repo.frozen import FeatureSchema
from models_ml.evaluation.report import MODEL
from models_ml.model_folder import ModelFolder
from serving.home import Home
from serving.release import FEATURE_SCHEMA, open_release

FEATURES = "features"


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
    if one.what == FEATURES:
        return f"{FEATURES}: {_columns_that_changed(one.first, one.second)}"
    first, second = map(_in_words, (one.first, one.second))
    return f"{one.what}: {first} -> {second}"


def _in_words(value: JsonValue) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4f}"
        case list():
            return ", ".join(map(_in_words, value)) or "none"
        case dict():
            return ", ".join(f"{name} {_in_words(told)}" for name, told in value.items()) or "none"
    return str(value)


def _columns_that_changed(first: JsonValue, second: JsonValue) -> str:
    """Tell which columns of the feature views came (+), went (-) or have another type (~)."""
    before, after = _columns(first), _columns(second)
    told = [
        *(f"+ {name}" for name in sorted(after.keys() - before.keys())),
        *(f"- {name}" for name in sorted(before.keys() - after.keys())),
        *(
            f"~ {name} {before[name]} -> {after[name]}"
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        ),
    ]
    return ", ".join(told) or "the same columns, otherwise served"


def _columns(schema: JsonValue) -> dict[str, str]:
    """List the columns of a release's feature schema as `view.column`, with their types."""
    try:
        services = TypeAdapter(FeatureSchema).validate_python(schema).services
    except ValidationError:
        return {}
    return {
        f"{view.view}.{column.name}": column.type
        for service in services
        for view in service.views
        for column in view.columns
    }


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
        FEATURES: json.loads((release.folder / FEATURE_SCHEMA).read_text()),
        "bytes": sum(path.stat().st_size for path in release.folder.iterdir()),
    }
    facts |= {f"form: {name}": value for name, value in config.architecture.items()}
    facts |= {f"training: {name}": value for name, value in vars(card.training).items()}
    for split, quality in card.metrics.items():
        asked = quality.get(MODEL if release.kind == "model" else card.name)
        if asked:
            told = {"ndcg_10": asked.ndcg_10, "hr_10": asked.hr_10, "mrr": asked.mrr}
            if asked.ndcg_10_capped is not None:
                told["ndcg_10_capped"] = asked.ndcg_10_capped
            facts |= {f"{name} {split}": value for name, value in told.items()}
    return facts


def _places(home: Home, first: str, second: str) -> list[Difference]:
    known = [
        set(pq.read_table(ModelFolder(home.releases / one).places)["place_id"].to_pylist())
        for one in (first, second)
    ]
    only = [len(known[0] - known[1]), len(known[1] - known[0])]
    return [Difference("places that the other does not know", *only)] if any(only) else []
