"""What tuning has found is kept for the set and the version that it was found for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_ml.baselines import fit as fitting
from models_ml.baselines.fit import (
    TRIED,
    counts_tuned_for,
    fit_baselines,
    fit_counts,
    tuned_for,
)
from models_ml.baselines.tuned import Tuned
from models_ml.baselines.tuning import Fit
from models_ml.data.training_set import read_training_set

CHOICES = {name: [("a", 1), ("b", 2), ("a", 3), ("b", 4), ("c", 5)] for name in ("ann", "bob")}


@pytest.fixture
def fit(world: Callable[..., Path]) -> Fit:
    return Fit(read_training_set(world(CHOICES, 80)))


def test_nobody_tunes_the_same_set_twice(
    fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "tuned.json"
    found = tuned_for(fit, kept)
    wanted = fit_baselines(fit.data)
    monkeypatch.setattr(fitting, "climb", None)
    monkeypatch.setattr(fitting, "tune_co_occurrence", None)
    assert tuned_for(fit, kept) == found
    for baseline, other in zip(fit_baselines(fit.data, kept), wanted, strict=True):
        assert baseline.architecture == other.architecture
        for name, value in baseline.tensors.items():
            assert np.array_equal(value, other.tensors[name])


@pytest.mark.parametrize("part", ["training_set_hash", "tried"])
def test_what_was_found_for_another_set_or_by_another_version_is_not_taken(
    fit: Fit, tmp_path: Path, part: str
) -> None:
    kept = tmp_path / "tuned.json"
    found = tuned_for(fit, kept)
    replace(found, **{part: "another"}).write(kept)
    assert Tuned.read(kept, fit.data.hash, TRIED) is None
    assert tuned_for(fit, kept) == found
    assert Tuned.read(kept, fit.data.hash, TRIED) == found


def test_counts_are_tuned_first_and_the_others_when_somebody_asks(fit: Fit, tmp_path: Path) -> None:
    kept = tmp_path / "tuned.json"
    first = counts_tuned_for(fit, kept)
    assert (first.item_knn, first.ease) == (None, None)
    names = [one.name for one in fit_counts(fit.data, kept)]
    assert names == ["popularity", "own_visits", "co_occurrence", "linear_counts"]
    whole = tuned_for(fit, kept)
    assert whole == tuned_for(fit)
    assert counts_tuned_for(fit, kept) == whole
    assert replace(whole, item_knn=None, ease=None) == first


def test_a_file_that_was_cut_is_made_anew(fit: Fit, tmp_path: Path) -> None:
    kept = tmp_path / "tuned.json"
    kept.write_text('{"training_set_hash": ')
    assert tuned_for(fit, kept) == Tuned.read(kept, fit.data.hash, TRIED)
