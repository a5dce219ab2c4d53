"""EASE: a linear model of which places go together, in closed form.

Harald Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019. Here the later events
of a history weigh more when places are scored.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models_ml.baselines.base import Baseline
from models_ml.data.event_windows import EventWindows
from models_ml.data.tokens import Vocabulary
from models_ml.model_folder import BaselineConfig
from models_ml.typed_json import Settings, as_settings, decode
from models_ml.user_vectors import Taste

MOST_PLACES = 6000
_CELLS_AT_ONCE = 50_000_000


@dataclass(frozen=True)
class Shrinkage:
    """What is tuned: the weight of the penalty, and the age at which an event counts 1/e."""

    penalty: float
    age: float


class Ease(Baseline):
    """Scores are a history's weighted sum of rows of a matrix of places by places."""

    def __init__(  # noqa: PLR0913 - what a baseline has, and what this one fits
        self,
        vocabulary: Vocabulary,
        taste: Taste,
        shrinkage: Shrinkage,
        columns: NDArray[np.int32],
        weights: NDArray[np.float32],
        *,
        excludes_seen: bool,
    ) -> None:
        """Take *weights* (C, C) between the places that stand in *columns* (C,) of the scores."""
        super().__init__("ease", vocabulary, taste, excludes_seen=excludes_seen)
        self._shrinkage = shrinkage
        self._columns, self._weights = columns, weights
        size = len(vocabulary)
        self._rows = np.full(size, -1)
        self._rows[columns] = np.arange(len(columns))

    @classmethod
    def restore(
        cls,
        vocabulary: Vocabulary,
        taste: Taste,
        config: BaselineConfig,
        tensors: dict[str, NDArray[Any]],
    ) -> "Ease":
        """Put together what was saved."""
        shrinkage = decode(Shrinkage, config.architecture, "what was tuned")
        return cls(
            vocabulary, taste, shrinkage, tensors["columns"], tensors["weights"],
            excludes_seen=config.excludes_seen,
        )  # fmt: skip

    @property
    def architecture(self) -> Settings:
        """What was tuned."""
        return as_settings(self._shrinkage)

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What was fitted."""
        return {"columns": self._columns, "weights": self._weights}

    def score_events(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows*, (B, P)."""
        past = windows.past
        # A place counts once, by its latest visit.
        latest = windows.latest
        places = past.places[latest]
        latest = latest[(places >= 0) & (places < len(self._rows))]
        columns = self._rows[past.places[latest]]
        latest, columns = latest[columns >= 0], columns[columns >= 0]
        order = np.argsort(past.rows[latest], kind="stable")
        latest, columns = latest[order], columns[order]
        fading = np.exp(-past.ages[latest] / self._shrinkage.age)
        # A history has few of all places: its rows are added up, instead of a product of matrices.
        found = functional.embedding_bag(
            torch.from_numpy(columns),
            torch.from_numpy(self._weights),
            torch.from_numpy(np.searchsorted(past.rows[latest], np.arange(len(windows)))),
            mode="sum",
            per_sample_weights=torch.from_numpy(fading.astype(np.float32)),
        )
        scores = np.tile(self.tie_break, (len(windows), 1))
        scores[:, self._columns] += found.numpy()
        return scores


def most_visited(vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Choose the columns to fit: all, or the `MOST_PLACES` most visited, for memory is C x C."""
    order = np.argsort(-vocabulary.places.event_counts, kind="stable")
    return np.sort(order[:MOST_PLACES]).astype(np.int32)


def shared_people(
    places: NDArray[np.int64], people: NDArray[np.int64], columns: NDArray[np.int32], size: int
) -> torch.Tensor:
    """Count how many people chose both of two of the places in *columns*, (C, C)."""
    rows = np.full(size, -1)
    rows[columns] = np.arange(len(columns))
    is_fitted = rows[places] >= 0
    pairs = np.unique(people[is_fitted] * len(columns) + rows[places[is_fitted]])
    choices = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([pairs // len(columns), pairs % len(columns)])),
        torch.ones(len(pairs)),
        (int(people.max(initial=-1)) + 1, len(columns)),
        is_coalesced=True,
        check_invariants=True,
    )
    turned = choices.t().coalesce()
    width = max(1, _CELLS_AT_ONCE // max(1, choices.shape[0]))
    return torch.cat(
        [
            turned @ choices.index_select(1, some).to_dense()
            for some in torch.arange(len(columns)).split(width)
        ],
        dim=1,
    )


def fit_weights(gram: torch.Tensor, penalty: float) -> NDArray[np.float32]:
    """Solve for the weights with a zero diagonal that rebuild the choices best, (C, C)."""
    regular = gram.double()
    regular.diagonal().add_(penalty)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(regular))
    weights = inverse / -inverse.diagonal()
    weights.diagonal().zero_()
    solved: NDArray[np.float32] = weights.float().numpy()
    return solved
