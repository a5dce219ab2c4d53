"""Embedding people from a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.data.history_files import HistoriesError, HistoriesFile
from models_ml.data.tokens import MAX_EVENTS, History, Vocabulary
from models_ml.data.training_set import read_training_set
from models_ml.embed import embed


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


def test_columns_of_a_file_are_the_same_tokens_as_lists_of_its_events(
    world: Callable[..., Path],
) -> None:
    choices = {
        "ann": [(f"p{n % 5}", n) for n in range(MAX_EVENTS + 30)],
        "bob": [("p1", 3), ("elsewhere", 5)],
        "cleo": [("elsewhere", 1)],
    }
    folder = world(choices, 10**6)
    data = read_training_set(folder)
    vocabulary = Vocabulary.build(data, np.flatnonzero(data.places != data.places[-1]))
    table = pq.read_table(folder / "histories.parquet").to_pylist()
    lists = [History(row["place_ids"], row["event_kinds"], row["event_ats"]) for row in table]
    wanted, offsets = vocabulary.encode(lists)
    found = [
        vocabulary.encode(columns)
        for _, columns in HistoriesFile(folder / "histories.parquet").read(2)
    ]
    assert [len(starts) - 1 for _, starts in found] == [2, 1]
    assert np.array_equal(
        np.concatenate([np.diff(starts) for _, starts in found]), np.diff(offsets)
    )
    for name in ("places", "kinds", "ats"):
        together = np.concatenate([getattr(events, name) for events, _ in found])
        assert np.array_equal(together, getattr(wanted, name))


def test_lists_that_are_not_parallel_are_refused_by_name(trained: Path, tmp_path: Path) -> None:
    columns = {"place_ids": [["a", "b"]], "event_kinds": [["visit"]], "event_ats": [[1, 2]]}
    pq.write_table(pa.table({"user_id": ["ann"], **columns}), tmp_path / "histories.parquet")
    with pytest.raises(HistoriesError, match="event_kinds and place_ids differ"):
        embed(tmp_path / "histories.parquet", trained, tmp_path / "out")


def test_who_has_no_events_gets_a_vector_of_zeros(trained: Path, tmp_path: Path) -> None:
    text, whole = pa.list_(pa.string()), pa.list_(pa.int64())
    columns = {
        "place_ids": pa.array([None, []], text),
        "event_kinds": pa.array([None, []], text),
        "event_ats": pa.array([None, []], whole),
    }
    pq.write_table(pa.table({"user_id": ["ann", "bob"], **columns}), tmp_path / "histories.parquet")
    assert embed(tmp_path / "histories.parquet", trained, tmp_path / "out") == 2
    assert not np.load(tmp_path / "out" / "vectors.npy").any()


def test_a_file_of_nobody_gives_empty_files(trained: Path, tmp_path: Path) -> None:
    text, whole = pa.list_(pa.string()), pa.list_(pa.int64())
    columns = {"place_ids": pa.array([], text), "event_kinds": pa.array([], text)}
    columns |= {"event_ats": pa.array([], whole)}
    nobody = pa.table({"user_id": pa.array([], pa.string()), **columns})
    pq.write_table(nobody, tmp_path / "histories.parquet")
    assert embed(tmp_path / "histories.parquet", trained, tmp_path / "out") == 0
    assert len(np.load(tmp_path / "out" / "vectors.npy")) == 0
    assert pq.read_table(tmp_path / "out" / "users.parquet").num_rows == 0
