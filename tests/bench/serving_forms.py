"""The forms in which one model's network can be served, each a model folder of its own."""

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import torch
from numpy.typing import DTypeLike, NDArray
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from models_ml.data.tokens import EventTokens, collate
from models_ml.model_folder import CONTENT, GRAPH, WEIGHTS, ModelFolder, NetworkConfig
from models_ml.recommender import NetworkModel
from models_ml.torch_model import TrainedModel
from serving.export import write_graph
from serving.onnx_model import ExportedModel

EAGER_WAS, EAGER, ONNX = "torch, as it was", "torch", "ONNX Runtime"
INT8, INT8_TABLES = "ONNX Runtime, int8 products", "ONNX Runtime, int8 products and tables"


@dataclass(frozen=True)
class Form:
    """A way to serve: what is loaded, and the files that it needs of the network."""

    name: str
    folder: ModelFolder
    open: Callable[[ModelFolder], NetworkModel]
    files: Sequence[str] = (WEIGHTS,)

    @property
    def bytes(self) -> int:
        return sum((self.folder.path / name).stat().st_size for name in self.files)


class AsItWas(TrainedModel):
    """The network as training runs it: the table of all places is made for each answer."""

    def _run(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        batch = collate(events, starts, stops, has_times=self.architecture.has_times)
        with torch.inference_mode():
            return self.scorer._network.score(batch).numpy()


def forms_of(model: ModelFolder, out: Path) -> list[Form]:
    """Make each form of *model* under *out*."""

    def at(name: str) -> ModelFolder:
        folder = out / name
        folder.mkdir(parents=True)
        for file in CONTENT:
            shutil.copyfile(model.path / file, folder / file)
        return ModelFolder(folder)

    config = model.read_config()
    assert isinstance(config, NetworkConfig)
    exported = at("onnx")
    write_graph(TrainedModel(model, config).scorer, exported.graph)
    forms = [
        Form(EAGER_WAS, model, lambda folder: AsItWas(folder, config)),
        Form(EAGER, model, lambda folder: TrainedModel(folder, config)),
        _exported(ONNX, exported),
    ]
    for name, kinds in ((INT8, ["MatMul"]), (INT8_TABLES, ["MatMul", "Gather"])):
        folder = at(f"int8-{len(kinds)}")
        quantize(exported.graph, folder.graph, kinds)
        forms.append(_exported(name, folder))
    for kind in (np.float16, ml_dtypes.bfloat16):
        folder = at(np.dtype(kind).name)
        shrink(exported.graph, folder.graph, kind)
        forms.append(_exported(f"ONNX Runtime, {np.dtype(kind).name} weights", folder))
    return forms


def _exported(name: str, folder: ModelFolder) -> Form:
    return Form(name, folder, lambda folder: ExportedModel(folder, folder.read_config()), (GRAPH,))


def quantize(graph: Path, out: Path, kinds: list[str]) -> None:
    """Quantize the weights of operators of *kinds* to 8 bits, activations as they come."""
    model = onnx.load(graph)
    # Whole numbers and the attention stay; a product with a transposed table is one with a weight.
    _unfold_gemm(model.graph)
    onnx.save(model, out)
    logging.getLogger().setLevel(logging.ERROR)  # it advises a step that the export has done
    quantize_dynamic(
        out, out, op_types_to_quantize=kinds, per_channel=True, weight_type=QuantType.QInt8
    )


def _unfold_gemm(graph: onnx.GraphProto) -> None:
    """Write the scores' `Gemm` as `MatMul` and `Add`, which can be quantized by column."""
    weights = {initializer.name: initializer for initializer in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "Gemm" or node.input[1] not in weights:
            nodes.append(node)
            continue
        table = numpy_helper.to_array(weights[node.input[1]])
        flipped = node.input[1] + "_flipped"
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(table.T), flipped))
        product = node.output[0] + "_product"
        nodes += [
            onnx.helper.make_node("MatMul", [node.input[0], flipped], [product]),
            onnx.helper.make_node("Add", [product, node.input[2]], [node.output[0]]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def shrink(graph: Path, out: Path, kind: DTypeLike) -> None:
    """Keep the weights as *kind* on disk; they are float32 again once loaded."""
    model = onnx.load(graph)
    casts = []
    for initializer in model.graph.initializer:
        values = numpy_helper.to_array(initializer)
        if values.dtype != np.float32 or values.size < 64:
            continue
        small = numpy_helper.from_array(values.astype(kind), initializer.name + "_small")
        casts.append(
            onnx.helper.make_node(
                "Cast", [small.name], [initializer.name], to=onnx.TensorProto.FLOAT
            )
        )
        initializer.CopyFrom(small)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, out)
