"""Packs what was chosen as a release, with its model card, and makes its index."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models_ml.data.training_set import Manifest
from models_ml.evaluation.report import MODEL, Comparison, Evaluation
from models_ml.model_folder import ModelFolder
from models_ml.training.record import TrainingRecord
from orchestration.home.atomic_files import write_atomically
from orchestration.model import store as model_store
from orchestration.model.export import require_export
from orchestration.release.choice import Choice
from serving import index
from serving.card import Export, Provenance
from serving.home import Home, now
from serving.release import Release, ReleaseError, open_release, pack

PAGE = "card.html"


@dataclass(frozen=True)
class Evidence:
    """What is known of a folder that is to be released.

    learned_from  the training set that it has learned from
    compared      how good it is beside others
    subject       which of those the comparison is about
    """

    learned_from: Manifest
    compared: Comparison
    subject: str = MODEL


def pack_release(home: Home, chosen: Choice) -> Release:
    """Pack what was chosen together with its frozen registry; what stays is opened as it is."""
    if chosen.stays is not None:
        return open_release(home.releases / chosen.stays)
    if chosen.folder is None:
        raise ReleaseError(
            f"{home.models}: nothing was chosen to be released. Train: tastemate train"
        )
    model = model_store.current_model(home)
    manifest = model_store.training_set_of(home, model).manifest
    return pack_folder(
        home, chosen.folder, chosen.reason, Evidence(manifest, Evaluation.read(model))
    )


def pack_folder(home: Home, folder: ModelFolder, reason: str, evidence: Evidence) -> Release:
    """Pack the model or baseline in *folder* together with its frozen registry, and its page."""
    from feature_repo.frozen import freeze

    require_export(folder)
    provenance = Provenance(
        reason=reason,
        metrics=evidence.compared.quality,
        training=model_store.training_facts(folder),
        export=Export.read(folder),
        training_set_hash=evidence.learned_from.hash,
        as_of=evidence.learned_from.as_of,
    )
    with tempfile.TemporaryDirectory(prefix="tastemate-registry-") as draft:
        freeze(home.root, Path(draft))
        registry, schema = Path(draft) / "registry.pb", Path(draft) / "feature_schema.json"
        packed = pack(folder.path, registry, schema, home.releases, provenance)
    write_atomically(packed.folder / PAGE, _page(packed, folder, reason, evidence))
    return packed


def _page(packed: Release, folder: ModelFolder, reason: str, evidence: Evidence) -> str:
    """Show how good the release is, on the questions that decided on it."""
    from orchestration.model.charts import is_ours
    from orchestration.release.model_card import quality_page

    training = TrainingRecord.read(folder)
    name = packed.card.name
    notes = [
        f"Kind: {packed.kind}, {name}. Made {packed.card.created_at}.",
        f"Why it was chosen: {reason}",
    ]
    if packed.kind == "model":
        notes.append(f"Its network is run by {_runner(packed)}.")
    elif evidence.subject == MODEL:
        notes.append("The model of the tables below was refused; what is released is a baseline.")
    else:
        notes.append("No model has been judged yet; what is released is the best baseline.")
    return quality_page(
        f"Release {packed.release_id}",
        evidence.compared,
        {"model": training} if training else {},
        notes=notes,
        is_marked=is_ours if packed.kind == "model" else name.__eq__,
        subject=evidence.subject,
    )


def _runner(packed: Release) -> str:
    export = packed.card.export
    if not packed.is_exported:
        return f"torch, for {export.refusal if export else 'it was not exported'}"
    if export is None or export.largest_difference is None:
        return "ONNX Runtime"
    return (
        f"ONNX Runtime; log-scores differ by {export.largest_difference:.1g} at most from torch's"
    )


def build_index(
    home: Home, release: Release, progress: Callable[[int], None] = lambda _: None
) -> index.Index:
    """Embed everybody who agreed to be shown with *release*."""
    from serving.histories import discoverable
    from serving.onnx_model import open_recommender

    known = frozenset(open_recommender(release.folder).places.place_ids)
    as_of = now()
    people = discoverable(
        home.handed_on("features/user_favor"), home.handed_on("features/place"), known, as_of
    )
    return index.build(release.folder, people, home.indexes, as_of, progress)
