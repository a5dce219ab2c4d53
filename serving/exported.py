"""A model whose network ONNX Runtime runs: neither torch nor transformers is loaded for it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models_ml.data.tokens import EventTokens, lay_out
from models_ml.loading import load
from models_ml.model_folder import ModelFolderError, read_config
from models_ml.recommender import NetworkModel, Recommender
from serving.release import EXPORT


def open_recommender(folder: Path) -> Recommender:
    """Load what *folder* answers with: its exported network where there is one, else what it holds.

    Raises:
        ModelFolderError: it holds no model, or an export that cannot be run.
    """
    if (folder / EXPORT).is_file():
        return ExportedModel(folder, read_config(folder))
    return load(folder)


class ExportedModel(NetworkModel):
    """The exported network, one thread an answer: many requests share the cores anyway."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        """Read the exported network, vocabulary and taste from *folder*."""
        super().__init__(folder, config)
        self._has_times: bool = config["architecture"]["has_times"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        try:
            self._session = onnxruntime.InferenceSession(
                folder / EXPORT, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # what it raises share no class of their own
            raise ModelFolderError(
                f"{folder / EXPORT}: ONNX Runtime {onnxruntime.__version__} cannot run it: {error} "
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
