"""Embedding people from a file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.embed import HistoriesError, embed


def test_people_of_one_taste_are_near_each_other(town: Path, trained: Path, tmp_path: Path) -> None:
    people = embed(town / "histories.parquet", trained, tmp_path)
    users = pq.read_table(tmp_path / "users.parquet")["user_id"].to_pylist()
    vectors = np.load(tmp_path / "vectors.npy")
    assert people == len(users) == len(vectors)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    # The town's people take turns in three tastes.
    nearest = likeness.argmax(axis=1)
    assert (nearest % 3 == np.arange(people) % 3).mean() > 0.9


def test_the_feature_file_gives_the_same_vectors_as_the_training_set(
    town: Path, trained: Path, tmp_path: Path
) -> None:
    table = pq.read_table(town / "histories.parquet")
    feature = table.rename_columns(
        ["event_place_ids" if name == "place_ids" else name for name in table.column_names]
    )
    pq.write_table(feature, tmp_path / "user_favor.parquet")
    embed(tmp_path / "user_favor.parquet", trained, tmp_path / "one")
    embed(town / "histories.parquet", trained, tmp_path / "other")
    ours, theirs = (np.load(tmp_path / name / "vectors.npy") for name in ("one", "other"))
    assert np.array_equal(ours, theirs)


def test_a_file_without_histories_is_refused_by_what_it_lacks(
    trained: Path, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"user_id": ["ann"]}), tmp_path / "users.parquet")
    with pytest.raises(HistoriesError, match="event_kinds"):
        embed(tmp_path / "users.parquet", trained, tmp_path)
