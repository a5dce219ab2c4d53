"""The manifest of a training set, which may have been written by hand."""

from pathlib import Path

import pytest

from models_ml.data.training_set import TrainingSetError, TrainingSetFolder
from tests.made import write_manifest


def test_what_only_describes_may_be_of_any_form(tmp_path: Path) -> None:
    written = {"is_time_synthetic": 0, "hash": 12345, "as_of": None, "users": 52.0, "places": "p"}
    manifest = TrainingSetFolder(write_manifest(tmp_path, **written)).read_manifest()
    assert (manifest.is_time_synthetic, manifest.hash) == (False, "12345")
    assert (manifest.as_of, manifest.users, manifest.places) == ("", 0, 0)


@pytest.mark.parametrize(
    ("written", "said"), [({"format": 2}, "reads format 1"), ({"cut_at": 5}, "cut_at is 5")]
)
def test_what_the_training_needs_is_refused_by_name(
    tmp_path: Path, written: dict[str, object], said: str
) -> None:
    with pytest.raises(TrainingSetError, match=said):
        TrainingSetFolder(write_manifest(tmp_path, **written)).read_manifest()
