"""How many of a person's ten nearest stay, when one more day has come or a release is new."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_ml.data.tokens import MAX_EVENTS, Vocabulary
from models_ml.data.training_set import TrainingSet, read_training_set
from models_ml.user_vectors import Taste
from models_ml.user_vectors_fit import fit_taste
from orchestration.release.hubness import nearest, share_kept
from serving.hubness import usual_likeness
from tests.bench.figures import Figure

DAY = 24 * 3600 * 1_000_000


def one_more_day(name: str, folder: Path) -> list[Figure]:
    """Compare the nearest at the cut with those a day later, of one release and of a new one."""
    data = read_training_set(folder)
    today, tomorrow = data.cut_at, data.cut_at + DAY
    vocabulary = Vocabulary.build(data, np.flatnonzero(data.ats < today))
    old, new = (_fit(data, vocabulary, moment) for moment in (today, tomorrow))
    before = _nearest(data, vocabulary, old, today)
    after = {
        "one more day": _nearest(data, vocabulary, old, tomorrow),
        "one more day and a new release": _nearest(data, vocabulary, new, tomorrow),
    }
    starts = data.offsets[:-1]
    is_changed = _until(data, tomorrow) > _until(data, today)
    everybody = np.ones(len(starts), dtype=bool)
    found = {
        f"{what}{who}": share_kept(before[chosen], later[chosen])
        for what, later in after.items()
        for who, chosen in (("", everybody), (", with new events", is_changed))
    }
    return [
        Figure(f"{name}: of the ten nearest stay, {what}", share, "", None, "higher", "must")
        for what, share in found.items()
    ]


def _until(data: TrainingSet, moment: int) -> NDArray[np.int64]:
    """Count each person's events before *moment*."""
    return np.bincount(data.event_users[data.ats < moment], minlength=len(data.user_ids))


def _fit(data: TrainingSet, vocabulary: Vocabulary, moment: int) -> Taste:
    is_known = data.ats < moment
    events = vocabulary.encode_training_set(data)
    offsets = np.append(0, np.cumsum(_until(data, moment)))
    return fit_taste(replace(events, places=events.places[is_known]), offsets, vocabulary, seed=0)


def _nearest(
    data: TrainingSet, vocabulary: Vocabulary, taste: Taste, moment: int
) -> NDArray[np.int64]:
    """Find everybody's ten nearest by their newest events before *moment*."""
    events = vocabulary.encode_training_set(data)
    counts = _until(data, moment)
    spans = [
        np.arange(start + max(0, count - MAX_EVENTS), start + count)
        for start, count in zip(data.offsets[:-1], counts, strict=True)
    ]
    places = events.places[np.concatenate(spans)]
    vectors = taste.vectors(
        replace(events, places=places), np.append(0, np.cumsum([len(span) for span in spans]))
    )
    return nearest(vectors, usual_likeness(vectors))
