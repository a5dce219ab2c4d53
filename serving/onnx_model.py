"""A model whose network ONNX Runtime runs: neither torch nor transformers is loaded for it."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models_ml.data.tokens import EventTokens, lay_out
from models_ml.loading import load
from models_ml.model_folder import ModelConfig, ModelFolder, ModelFolderError, NetworkConfig
from models_ml.network.architecture import Architecture
from models_ml.recommender import NetworkModel, Recommender
from models_ml.typed_json import decode


def open_recommender(folder: Path) -> Recommender:
    """Load what *folder* answers with: its exported network where there is one, else what it holds.

    Raises:
        ModelFolderError: it holds no model, or an export that cannot be run.
    """
    model = ModelFolder(folder)
    if model.graph.is_file():
        return ExportedModel(model, model.read_config())
    return load(folder)


class ExportedModel(NetworkModel):
    """The exported network, one thread an answer: many requests share the cores anyway."""

    def __init__(self, folder: ModelFolder, config: ModelConfig) -> None:
        """Read the exported network, vocabulary and taste from *folder*."""
        if not isinstance(config, NetworkConfig):
            raise ModelFolderError(f"{folder.graph}: beside a {config.kind}, which has no network.")
        super().__init__(folder, config)
        architecture = decode(Architecture, config.architecture, str(folder.config))
        self._has_times = architecture.has_times
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        try:
            self._session = onnxruntime.InferenceSession(
                folder.graph, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # what it raises share no class of their own
            raise ModelFolderError(
                f"{folder.graph}: ONNX Runtime {onnxruntime.__version__} cannot run it: {error} "
                "Remove it from the model folder and pack the release again: tastemate run"
            ) from error
        self._inputs = [wanted.name for wanted in self._session.get_inputs()]

    def _run(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        arrays = lay_out(events, starts, stops, has_times=self._has_times)
        scores: NDArray[np.float32]
        # What the model has no use for, such as times that are synthetic, is no input.
        (scores,) = self._session.run(None, {name: arrays[name] for name in self._inputs})
        return scores
