"""A trained model that torch runs, on the best device there is."""

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from models_ml.baselines.counts_at_once import shares_at_once
from models_ml.baselines.interpolation import log_shares, mixed
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import EventTokens, Histories, collate
from models_ml.data.training_set import TrainingSet
from models_ml.model_folder import ModelFolder, NetworkConfig
from models_ml.network.architecture import Architecture
from models_ml.network.bert import Network
from models_ml.network.inference import Scorer
from models_ml.network.score_windows import score_windows
from models_ml.recommender import NetworkModel, batches_of_like_length, is_beside_the_network
from models_ml.typed_json import decode


class TrainedModel(NetworkModel):
    """The network with its weights, run by torch."""

    def __init__(self, folder: ModelFolder, config: NetworkConfig) -> None:
        """Read weights and vocabulary from *folder*."""
        super().__init__(folder, config)
        self.architecture = decode(Architecture, config.architecture, str(folder.config))
        network = Network(self.architecture, self._vocabulary)
        tensors = load_file(folder.weights)
        network.load_state_dict(
            {name: value for name, value in tensors.items() if not is_beside_the_network(name)}
        )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.scorer = Scorer(network).to(self._device)

    def encode_training_set(self, data: TrainingSet) -> EventTokens:
        """Encode every event of *data* as `score_events` reads them."""
        return self._vocabulary.encode_training_set(data)

    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows*, (B, P)."""
        return self.with_counts(self.network_scores(windows), windows)

    def network_scores(self, windows: EventWindows) -> NDArray[np.float32]:
        """Let the network alone score every place after each of *windows*, (B, P)."""
        return score_windows(
            self.scorer, windows, self._device, has_times=self.architecture.has_times
        )

    def with_counts(
        self, scores: NDArray[np.float32], windows: EventWindows
    ) -> NDArray[np.float32]:
        """Add to the network's *scores* what counts say after each of *windows*, (B, P)."""
        if not self.mixture:
            return scores
        logarithms = log_shares(shares_at_once(self.mixture.counts, windows))
        return mixed(scores, logarithms, self.mixture.weight)

    def best(
        self, histories: Histories, most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the *most* likely places of each history and their scores, best first, (B, K).

        They are found on the model's device, or on CPU where counts answer beside the network.
        Nothing is left out, not even what was seen.
        """
        shape = len(histories), min(most, len(self.places))
        places, scores = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.float32)
        events, offsets = self._vocabulary.encode(histories)
        for rows in batches_of_like_length(offsets):
            windows = events, offsets[:-1][rows], offsets[1:][rows]
            found = self._scores(*windows)
            if self.mixture:
                found = torch.from_numpy(self.mixture.mixed(found.cpu().numpy(), *windows))
            highest = found.topk(shape[1])
            places[rows], scores[rows] = highest.indices.cpu(), highest.values.cpu()
        return places, scores

    def _run(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self._scores(events, starts, stops).cpu().numpy()
        return scores

    def _scores(
        self, events: EventTokens, starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> Tensor:
        batch = collate(events, starts, stops, has_times=self.architecture.has_times)
        with torch.inference_mode():
            return self.scorer.score(batch.to(self._device))
