"""Exports a trained network for serving, and checks the export against the network itself.

Needs torch and the exporter; what is served needs neither.
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from models_ml.data.tokens import MAX_CATEGORIES, MAX_EVENTS, History
from models_ml.data.training_set import PlaceTable
from models_ml.files import whole
from models_ml.loading import load
from models_ml.model_folder import read_config
from models_ml.network.inference import Scorer
from models_ml.recommender import Recommender
from models_ml.torch_model import TrainedModel
from serving.exported import ExportedModel
from serving.release import EXPORT

BOUND = 1e-3
"""So far a log-score may be from the network's own: a thousandth of the chance it stands for."""
RECORD = "export.json"
_LENGTHS = (0, 1, 2, 3, 7, 20, 63, MAX_EVENTS - 1, MAX_EVENTS)
_MOST_HISTORIES = 20
_ANY = torch.export.Dim.DYNAMIC
# With the operator `Attention`, which ONNX Runtime runs fused.
_OPSET = 23
_NOISY = "torch.onnx._internal.exporter._registration"


@dataclass(frozen=True)
class Export:
    """How the network of a model folder is served.

    ``weights`` and ``graph`` are the sha256 of what was exported, and of the export that is served.
    ``largest_difference`` is that of any log-score from the network's own; ``refusal`` says why
    torch runs the network instead, and is empty where ONNX Runtime does.
    """

    weights: str
    versions: dict[str, str]
    graph: str | None
    bound: float
    largest_difference: float | None
    refusal: str


def export(model_folder: Path, people: Callable[[], Sequence[History]]) -> Export | None:
    """Export the network in *model_folder* beside its weights, unless that is done already.

    It is asked of *people*, cut to every class of length, what the network itself is asked. If any
    log-score differs by more than `BOUND`, or it cannot be exported at all, the folder is left
    without an export, and what comes back says why. Nothing where there is no network.
    """
    if read_config(model_folder)["kind"] != "model":
        return None
    path, record = model_folder / EXPORT, model_folder / RECORD
    weights = _hash(model_folder / "model.safetensors")
    versions = {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    kept = json.loads(record.read_text()) if record.exists() else {}
    graph = _hash(path) if path.exists() else None
    if kept.items() >= {"weights": weights, "versions": versions, "graph": graph}.items():
        return Export(**kept)
    difference, refusal = _tried(model_folder, people())
    if refusal:
        path.unlink(missing_ok=True)
    graph = None if refusal else _hash(path)
    made = Export(weights, versions, graph, BOUND, difference, refusal)
    record.write_text(json.dumps(vars(made), indent=2) + "\n")
    return made


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tried(model_folder: Path, histories: Sequence[History]) -> tuple[float | None, str]:
    """Write the export and ask it; return how far it is off, and what speaks against it."""
    network = load(model_folder)
    assert isinstance(network, TrainedModel)  # noqa: S101 -- its config says so
    try:
        write_graph(network.scorer, model_folder / EXPORT)
        exported = ExportedModel(model_folder, read_config(model_folder))
        # Alone, for the counts beside both are the same.
        difference = largest_difference(network.alone(), exported.alone(), histories)
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
