"""The card of a release: where it comes from and how good it is, beside its content.

Nothing of it decides an answer, so it has no part in the release's name, and what it says beside
name, kind and files hinders nobody, be it of any form.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from models_ml.figures import RankFigures
from models_ml.model_folder import ModelFolder
from models_ml.typed_json import ABSENT, LENIENT, JsonTypeError, read_json


@dataclass(frozen=True)
class Export:
    """How the network of a model folder is served.

    ``weights`` and ``graph`` are the sha256 of what was exported, and of the export that is served.
    ``largest_difference`` is that of any log-score from the network's own; ``refusal`` says why
    torch runs the network instead, and is empty where ONNX Runtime does.
    """

    weights: str
    versions: Mapping[str, str]
    graph: str | None
    bound: float
    largest_difference: float | None
    refusal: str

    @classmethod
    def read(cls, model: ModelFolder) -> "Export | None":
        """Read how the network of *model* was exported; None where it was not, or not as now."""
        with suppress(FileNotFoundError, JsonTypeError):
            return read_json(model.export, cls)
        return None


@dataclass(frozen=True)
class TrainingFacts:
    """How long a model was trained; nothing of a baseline, which is not trained."""

    epochs: int | None = field(default=None, metadata=ABSENT)
    best_epoch: int | None = field(default=None, metadata=ABSENT)
    is_cut_short: bool | None = field(default=None, metadata=ABSENT)
    seconds: float | None = field(default=None, metadata=ABSENT)
    device: str | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What whoever packs a release tells of it; a release packed by hand may lack some.

    ``metrics`` are figures by split and recommender, ``as_of`` the moment of the data.
    """

    reason: str | None = field(default=None, metadata={**ABSENT, **LENIENT})
    metrics: Mapping[str, Mapping[str, RankFigures]] = field(default_factory=dict, metadata=LENIENT)
    training: TrainingFacts = field(default_factory=TrainingFacts, metadata=LENIENT)
    export: Export | None = field(default=None, metadata=LENIENT)
    training_set_hash: str | None = field(default=None, metadata={**ABSENT, **LENIENT})
    as_of: str | None = field(default=None, metadata={**ABSENT, **LENIENT})


@dataclass(frozen=True, kw_only=True)
class Card(Provenance):
    """The whole card. ``files`` has the sha256 of each file of the content."""

    release_id: str
    kind: Literal["model", "baseline"]
    name: str
    created_at: str
    files: Mapping[str, str]
