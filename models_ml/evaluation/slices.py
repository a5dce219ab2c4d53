"""Slices: the groups of targets that quality is told for one by one."""

import numpy as np
from numpy.typing import NDArray

from models_ml.data.event_windows import laid_flat
from models_ml.data.training_set import TrainingSet

Slices = dict[str, dict[str, NDArray[np.bool_]]]

_LENGTHS = ((0, 0), (1, 9), (10, 49), (50, 199), (200, np.inf))
_HEAD, _MIDDLE = 0.5, 0.8
_MOST_GROUPS = 5


def slices_of(data: TrainingSet, targets: NDArray[np.int64], counts: NDArray[np.int64]) -> Slices:
    """Group *targets* in each of several ways; a group is a mask (N,) with at least one target.

    ``history``: how many events the person had before. ``popularity`` of the target, by *counts*,
    its places' events in the training part: ``head`` are the places that hold half of all events,
    ``middle`` those that hold the next three tenths, ``tail`` the others, ``cold`` those without
    any. ``visit``: whether the person had been there. ``category`` and ``district``: the five with
    the most targets.
    """
    places = data.places[targets]
    lengths = targets - data.offsets[data.event_users[targets]]
    ways = {
        "history": {
            _range_name(low, high): (lengths >= low) & (lengths <= high) for low, high in _LENGTHS
        },
        "popularity": _by_popularity(places, counts),
        "visit": _by_visit(data, targets),
        "category": _largest(
            places, [codes[0] if codes else "" for codes in data.catalogue.category_codes]
        ),
        "district": _largest(places, data.catalogue.district_codes),
    }
    return {
        way: {name: mask for name, mask in groups.items() if mask.any()}
        for way, groups in ways.items()
    }


def is_return(data: TrainingSet, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for each target whether the person had been at the place before."""
    whose, events = laid_flat(data.offsets[data.event_users[targets]], targets)
    is_there = data.places[events] == data.places[targets][whose]
    return np.bincount(whose[is_there], minlength=len(targets)) > 0


def _by_visit(data: TrainingSet, targets: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    returns = is_return(data, targets)
    return {"new to the person": ~returns, "return": returns}


def _by_popularity(
    places: NDArray[np.int64], counts: NDArray[np.int64]
) -> dict[str, NDArray[np.bool_]]:
    order = np.argsort(-counts, kind="stable")
    held = np.cumsum(counts[order]) / max(1, counts.sum())
    # A place belongs where its own events begin.
    begins = np.empty(len(counts))
    begins[order] = held - counts[order] / max(1, counts.sum())
    begins, is_cold = begins[places], counts[places] == 0
    return {
        "head": ~is_cold & (begins < _HEAD),
        "middle": ~is_cold & (begins >= _HEAD) & (begins < _MIDDLE),
        "tail": ~is_cold & (begins >= _MIDDLE),
        "cold": is_cold,
    }


def _largest(places: NDArray[np.int64], told: list[str]) -> dict[str, NDArray[np.bool_]]:
    names = np.array(told, dtype=str)[places]
    found, sizes = np.unique(names[names != ""], return_counts=True)
    largest = found[np.argsort(-sizes, kind="stable")][:_MOST_GROUPS]
    return {str(name): names == name for name in largest}


def _range_name(low: float, high: float) -> str:
    if high == np.inf:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"
