"""What tuning the baselines has found, kept so that nobody tunes the same set twice."""

from dataclasses import dataclass, field
from pathlib import Path

from models_ml.files import whole
from models_ml.typed_json import ABSENT, JsonTypeError, json_text, read_json


@dataclass(frozen=True)
class Tuned:
    """The settings with which each baseline was best on the validation events of one set.

    ``tried`` names what was tried, so that another version of this package tunes anew.
    ``other_starts`` are linear counts from where the climb ended lower. The last two take longer,
    and are there when somebody has asked for them.
    """

    training_set_hash: str
    tried: str
    own_visits: dict[str, float]
    co_occurrence: dict[str, float]
    linear_counts: dict[str, float]
    other_starts: list[dict[str, float]]
    item_knn: dict[str, float] | None = field(default=None, metadata=ABSENT)
    ease: dict[str, float] | None = field(default=None, metadata=ABSENT)

    @classmethod
    def read(cls, path: Path, training_set_hash: str, tried: str) -> "Tuned | None":
        """Read what `write` wrote for the set of this hash; nothing for another or none."""
        try:
            kept = read_json(path, cls)
        except (FileNotFoundError, JsonTypeError):
            return None
        return kept if (kept.training_set_hash, kept.tried) == (training_set_hash, tried) else None

    def write(self, path: Path) -> None:
        """Write it to *path*, whole or not at all."""
        with whole(path) as unfinished:
            unfinished.write_text(json_text(self))
