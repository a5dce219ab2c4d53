"""Packs what was chosen as a release, with its page, and makes its index."""

import tempfile
from pathlib import Path
from typing import Any

from orchestration.home.atomic_files import read_json, write_atomically
from orchestration.model import store as model_store
from orchestration.model.export import export_model
from orchestration.release.choice import Choice
from serving import index
from serving.home import Home, now
from serving.release import Release, ReleaseError, open_release, pack

PAGE = "card.html"


def pack_release(home: Home, chosen: Choice) -> Release:
    """Pack what was chosen together with its frozen registry; what stays is opened as it is."""
    if chosen.stays is not None:
        return open_release(home.releases / chosen.stays)
    if chosen.folder is None:
        raise ReleaseError(
            f"{home.models}: nothing was chosen to be released. Train: tastemate train"
        )
    from feature_repo.frozen import freeze

    model = model_store.current_model(home)
    training_set = model_store.training_set_of(home, model)
    manifest = training_set.manifest
    found = read_json(model / "evaluation.json")
    card = {
        "reason": chosen.reason,
        "metrics": {split: found[split] for split in ("time", "loo")},
        "training": model_store.training_facts(chosen.folder),
        "export": export_model(chosen.folder, training_set.folder),
        "training_set_hash": manifest["hash"],
        "as_of": manifest["as_of"],
    }
    with tempfile.TemporaryDirectory(prefix="tastemate-registry-") as draft:
        freeze(home.root, Path(draft))
        registry, schema = Path(draft) / "registry.pb", Path(draft) / "feature_schema.json"
        packed = pack(chosen.folder, registry, schema, home.releases, card)
    write_atomically(packed.folder / PAGE, _page(packed, chosen, found))
    return packed


def _page(packed: Release, chosen: Choice, evaluation: dict[str, Any]) -> str:
    """Show how good the release is, on the questions that decided on it."""
    from orchestration.model.charts import is_ours
    from orchestration.release.model_card import quality_page

    training = read_json(chosen.folder / "training.json") if chosen.folder else None
    notes = [
        f"Kind: {packed.kind}, {packed.card['name']}. Made {packed.card['created_at']}.",
        f"Why it was chosen: {chosen.reason}",
    ]
    if packed.kind == "model":
        notes.append(f"Its network is run by {_runner(packed)}.")
    if packed.kind == "baseline":
        notes.append("The model of the tables below was refused; what is released is a baseline.")
    return quality_page(
        f"Release {packed.release_id}", evaluation, {"model": training} if training else {},
        notes=notes,
        is_marked=is_ours if packed.kind == "model" else packed.card["name"].__eq__,
    )  # fmt: skip


def _runner(packed: Release) -> str:
    told = packed.card.get("export") or {"refusal": "it was packed before there were exports"}
    if packed.is_exported:
        return (
            f"ONNX Runtime; log-scores differ by {told['largest_difference']:.1g} at most from "
            "torch's"
        )
    return f"torch, for {told['refusal']}"


def build_index(home: Home, release: Release, progress: Any = lambda _: None) -> index.Index:
    """Embed everybody who agreed to be shown with *release*."""
    from serving.exported import open_recommender
    from serving.histories import discoverable

    known = frozenset(open_recommender(release.folder).places.place_ids)
    as_of = now()
    people = discoverable(
        home.handed_on("features/user_favor"), home.handed_on("features/place"), known, as_of
    )
    return index.build(release.folder, people, home.indexes, as_of, progress)
