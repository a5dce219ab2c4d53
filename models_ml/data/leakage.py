"""Leakage: what trainings have learned from, so that none is asked what it was once told.

A training that begins with the weights of an earlier one has learned all that this one had, and
those before it. As long as events are only added, and newest last, none of that is held out now.
A deletion, a correction or late events can make a target of what was learned: then it is found
here, by the events' ids.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from models_ml.data.split import Split, held_out_events, learned_events, split
from models_ml.data.training_set import TrainingSet, read_event_ids, read_training_set


class LearnedBeforeError(ValueError):
    """It cannot be told what was learned before, or something held out was."""


@dataclass(frozen=True)
class LearnedFrom:
    """The training part of a training set: the set's hash, and that of where the part ends."""

    training_set_hash: str
    part_hash: str

    @classmethod
    def of(cls, data: TrainingSet, parts: Split) -> "LearnedFrom":
        """Name what a training with *parts* of *data* learns from."""
        return cls(data.hash, hashlib.sha256(parts.learn_ends.astype("<i8").tobytes()).hexdigest())


def refuse_what_was_learned(folder: Path, parts: Split, earlier: Sequence[LearnedFrom]) -> None:
    """Refuse where *earlier* trainings learned an event that *parts* hold out.

    *parts* are those of the training set in *folder*; the earlier sets lie beside it, whatever they
    are called.

    Raises:
        LearnedBeforeError: an event was learned, or an earlier set is missing or is split otherwise
            by this version.
    """
    held_out = held_out_events(parts)
    ids = read_event_ids(folder).take(pa.array(held_out))
    beside = _sets_beside(folder)
    for one in earlier:
        learned = _learned_ids(one, beside, folder.parent)
        count = int(pc.sum(pc.is_in(ids, value_set=learned)).as_py() or 0)
        if count:
            raise LearnedBeforeError(
                f"{folder}: {count:,} of the {len(held_out):,} events that are held out were "
                f"learned from training set {one.training_set_hash[:16]}; events were deleted, "
                "corrected or came late since. Figures of such a model would flatter it: train "
                "from scratch."
            )


def _sets_beside(folder: Path) -> dict[str, Path]:
    """Find the training sets that lie where *folder* does, by their hash."""
    sets = {}
    for path in folder.resolve().parent.glob("*/manifest.json"):
        # Others' folders may lie there, too, with a file of that name.
        with suppress(ValueError, TypeError, KeyError):
            sets[str(json.loads(path.read_text())["hash"])] = path.parent
    return sets


def _learned_ids(one: LearnedFrom, beside: dict[str, Path], where: Path) -> pa.Array:
    if one.training_set_hash not in beside:
        raise LearnedBeforeError(
            f"{where}: training set {one.training_set_hash[:16]}, from which the earlier model "
            "learned, is not here, so that nobody can tell what it was told. Put it beside --data, "
            "or train from scratch."
        )
    folder = beside[one.training_set_hash]
    data = read_training_set(folder)
    parts = split(data)
    if LearnedFrom.of(data, parts) != one:
        raise LearnedBeforeError(
            f"{folder}: an earlier version learned from another part of this training set. "
            "Train from scratch."
        )
    return read_event_ids(folder).take(pa.array(learned_events(data, parts)))
