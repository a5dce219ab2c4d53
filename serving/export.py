"""Exports a trained network for serving, and checks the export against the network itself.

Needs torch and the exporter; what is served needs neither.
"""

import hashlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from models_ml.data.tokens import MAX_CATEGORIES, MAX_EVENTS, History
from models_ml.data.training_set import PlaceTable
from models_ml.files import whole
from models_ml.model_folder import ModelFolder, NetworkConfig
from models_ml.network.inference import Scorer
from models_ml.recommender import Recommender
from models_ml.torch_model import TrainedModel
from models_ml.typed_json import json_text
from serving.card import Export
from serving.onnx_model import ExportedModel

BOUND = 1e-3
"""So far a log-score may be from the network's own: a thousandth of the chance it stands for."""
_LENGTHS = (0, 1, 2, 3, 7, 20, 63, MAX_EVENTS - 1, MAX_EVENTS)
_MOST_HISTORIES = 20
_ANY = torch.export.Dim.DYNAMIC
# With the operator `Attention`, which ONNX Runtime runs fused.
_OPSET = 23
_NOISY = "torch.onnx._internal.exporter._registration"


def export(model: ModelFolder, people: Callable[[], Sequence[History]]) -> Export | None:
    """Export the network of *model* beside its weights, unless that is done already.

    It is asked of *people*, cut to every class of length, what the network itself is asked. If any
    log-score differs by more than `BOUND`, or it cannot be exported at all, the folder is left
    without an export, and what comes back says why. Nothing where there is no network.
    """
    config = model.read_config()
    if not isinstance(config, NetworkConfig):
        return None
    weights = _hash(model.weights)
    versions = {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    graph = _hash(model.graph) if model.graph.exists() else None
    kept = Export.read(model)
    if kept and (kept.weights, kept.versions, kept.graph) == (weights, versions, graph):
        return kept
    difference, refusal = _tried(model, config, people())
    if refusal:
        model.graph.unlink(missing_ok=True)
    graph = None if refusal else _hash(model.graph)
    made = Export(weights, versions, graph, BOUND, difference, refusal)
    model.export.write_text(json_text(made))
    return made


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tried(
    model: ModelFolder, config: NetworkConfig, histories: Sequence[History]
) -> tuple[float | None, str]:
    """Write the export and ask it; return how far it is off, and what speaks against it."""
    network = TrainedModel(model, config)
    try:
        write_graph(network.scorer, model.graph)
        # Alone, for the counts beside both are the same.
        difference = largest_difference(
            network.alone(), ExportedModel(model, config).alone(), histories
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, torch serves the network as well
        return None, f"it cannot be exported: {error}"
    if difference <= BOUND:
        return difference, ""
    return difference, f"a log-score differs by {difference:.2g}, {BOUND:g} is allowed"


def write_graph(scorer: Scorer, path: Path) -> None:
    """Write *scorer* as an ONNX graph; the same weights and versions give the same bytes.

    Batch, time and strangers have any length; of strangers there may be none.
    """
    example, shapes = _example(scorer.table.device)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            scorer,
            kwargs=example,
            dynamo=True,
            dynamic_shapes=shapes,
            output_names=["scores"],
            opset_version=_OPSET,
            verbose=False,
        )
    _forget_origin(program.model)
    with whole(path) as unfinished:
        program.save(unfinished, external_data=False)


def _example(device: torch.device) -> tuple[dict[str, torch.Tensor], dict[str, dict[int, Any]]]:
    """Make a question for the exporter to follow, and say which of its lengths may be any."""
    events = ("places", "kinds", "hours", "weekdays", "gaps")
    sizes: dict[str, tuple[int, ...]] = dict.fromkeys(events, (2, 5))
    sizes |= {"lengths": (2,), "stranger_districts": (2,)}
    sizes["stranger_categories"] = (2, MAX_CATEGORIES)
    # Each a tensor of its own: the exporter takes what is one tensor for one input.
    example = {
        name: torch.ones(size, dtype=torch.long, device=device) for name, size in sizes.items()
    }
    shapes = {name: dict.fromkeys(range(len(size)), _ANY) for name, size in sizes.items()}
    shapes["stranger_categories"] = {0: _ANY}
    return example, shapes


def largest_difference(one: Recommender, other: Recommender, histories: Sequence[History]) -> float:
    """Ask both about histories of every length, together and alone; not a number is infinite."""
    batches = list(_of_every_length(histories, one.places))
    batches += [[history] for history in batches[0]]
    found = [np.abs(one.score(batch) - other.score(batch)).max() for batch in batches]
    return float(np.nan_to_num(np.max(found), nan=np.inf))


def _of_every_length(histories: Sequence[History], places: PlaceTable) -> Iterator[list[History]]:
    """Cut each history to every length, or tell it again until it has it.

    In each second one every third place bears a name that nobody knows.
    """
    around = zip(places.category_codes, places.district_codes, strict=True)
    known = dict(zip(places.place_ids, around, strict=True))
    told = [history for history in histories if history.place_ids][:_MOST_HISTORIES]
    for nth, history in enumerate(told or [History()]):
        cut = [_of_length(length, history) for length in _LENGTHS]
        yield [_with_strangers(one, known) for one in cut] if nth % 2 else cut


def _of_length(length: int, history: History) -> History:
    count = len(history.place_ids)
    rows = [row % count for row in range(length)] if count else []
    return replace(
        history,
        place_ids=[history.place_ids[row] for row in rows],
        event_kinds=[history.event_kinds[row] for row in rows],
        event_ats=[history.event_ats[row] for row in rows],
        event_ratings=[history.event_ratings[row] for row in rows],
    )


def _with_strangers(history: History, known: dict[str, tuple[list[str], str]]) -> History:
    names = list(history.place_ids)
    unknown = dict(history.unknown_places)
    for nth in range(0, len(names), 3):
        stranger = f"{names[nth]}, unheard of"
        unknown[stranger] = known.get(names[nth], ([], ""))
        names[nth] = stranger
    return replace(history, place_ids=names, unknown_places=unknown)


def _forget_origin(model: Any) -> None:
    """Take out what the exporter notes of source files and tensors: it differs by machine."""
    model.metadata_props.clear()
    graph = model.graph
    for part in (graph, *graph.all_nodes(), *graph.inputs, *graph.initializers.values()):
        part.metadata_props.clear()
        part.doc_string = None
    for node in graph.all_nodes():
        for value in node.outputs:
            value.metadata_props.clear()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks about itself from those who only want a release."""
    logger = logging.getLogger(_NOISY)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
