"""The record of a training, ``training.json``: what it was, how it went, what it learned from."""

from dataclasses import dataclass, field

from models_ml.data.leakage import LearnedFrom
from models_ml.model_folder import ModelFolder
from models_ml.typed_json import ABSENT, JsonTypeError, Settings, read_json


class TrainingRecordError(ValueError):
    """The record of a training cannot be read; the message says which field is wrong."""


_MINUTES = 100.0
"""So many seconds are told in minutes."""


@dataclass(frozen=True)
class Identity:
    """What makes a training the same one when it is started again.

    ``settings`` is `Preset.as_text`, ``warm_start`` the content hash of the model it began with.
    """

    training_set_hash: str
    preset: str
    settings: str
    seed: str
    warm_start: str | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True)
class Epoch:
    """What is told after each epoch; ``seconds`` are those of all epochs so far."""

    number: int
    of: int
    loss: float
    validation_ndcg_10: float
    seconds: float

    @property
    def time_left(self) -> str:
        """How long the others would take at this pace, in words; it may well end before."""
        left = self.seconds / self.number * (self.of - self.number)
        if not left:
            return ""
        return (
            f"at most {left:.0f} s left" if left < _MINUTES else f"at most {left / 60:.0f} min left"
        )


@dataclass(frozen=True)
class TrainingRecord:
    """How a training went.

    ``is_cut_short`` is true where time was up before it had run its course. ``losses`` and
    ``validation`` (NDCG@10) are those of each epoch; ``parameters`` counts the network's weights.
    ``beaten_by`` is what counting reached on the same events, where the network was ended early
    because it would not have done so at its pace. A record of an earlier version does not say what
    was ``learned_from``.
    """

    out: str
    epochs: int
    best_epoch: int
    validation_ndcg_10: float
    loss: float
    seconds: float
    events_per_second: float
    parameters: int
    device: str
    is_cut_short: bool
    identity: Identity
    torch: str
    warm_start: str | None = None
    learned_from: list[LearnedFrom] | None = field(default=None, metadata=ABSENT)
    counts: Settings | None = None
    beaten_by: float | None = field(default=None, metadata=ABSENT)
    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    @property
    def why_early(self) -> str:
        """Why the network was ended early, in words; empty where it was not."""
        if self.beaten_by is None:
            return ""
        return (
            f"ended after {self.epochs} epochs: at its pace the network would not reach what "
            f"counting alone does on the same events, NDCG@10 {self.beaten_by:.4f}"
        )

    @classmethod
    def read(cls, folder: ModelFolder) -> "TrainingRecord | None":
        """Read the record of the model in *folder*; None where there is none, as of a baseline.

        Raises:
            TrainingRecordError: it is none that this version can read.
        """
        if not folder.training.exists():
            return None
        try:
            return read_json(folder.training, cls)
        except JsonTypeError as error:
            raise TrainingRecordError(f"{error} Train the model again.") from error
