"""A trained model that torch runs, on the best device there is."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from models_ml.network import Architecture, Network
from models_ml.recommender import NetworkModel
from models_ml.scoring import Scorer
from models_ml.tokens import EventTokens, collate


class TrainedModel(NetworkModel):
    """The network with its weights, run by torch."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        """Read weights and vocabulary from *folder*."""
        super().__init__(folder, config)
        self.architecture = Architecture(**config["architecture"])
        network = Network(self.architecture, self._vocabulary)
        tensors = load_file(folder / "model.safetensors")
        network.load_state_dict(
            {name: value for name, value in tensors.items() if not name.startswith("taste.")}
        )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.scorer = Scorer(network).to(self._device)

    def _run(self, events: EventTokens, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
        has_times = self.architecture.has_times
        batch = collate(events, offsets[:-1], offsets[1:], has_times=has_times)
        with torch.inference_mode():
            scores: NDArray[np.float32] = self.scorer.score(batch.to(self._device)).cpu().numpy()
        return scores
