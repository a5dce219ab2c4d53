"""The index: who is in it, what it finds, and that it is whole."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models_ml.loading import load
from serving import index
from serving.hubness import usual_likeness
from tests.serving.city import HIDDEN, KNOWN_AT, USERS, City


def test_everybody_who_agreed_to_be_shown_is_in_it_and_nobody_else(finished_city: City) -> None:
    made = index.newest(finished_city.home.indexes, finished_city.release.release_id)
    wanted = {finished_city.pseudonym(user) for user in USERS if user != HIDDEN}
    assert set(made.users.to_pylist()) == wanted
    assert made.users.to_pylist() == sorted(wanted)
    assert np.allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-5)


def test_the_search_is_exact(finished_city: City) -> None:
    made = index.newest(finished_city.home.indexes, finished_city.release.release_id)
    vector = np.asarray(made.vectors[3])
    found = made.search(vector, 7)
    scores = np.asarray(made.vectors) @ vector - made.usual / 2
    best = np.argsort(-scores, kind="stable")[:7]
    assert [score for _, score in found] == pytest.approx(scores[best].tolist(), abs=1e-5)
    assert [user for user, _ in made.search(vector, 1000)[:7]] == [user for user, _ in found]
    assert len(made.search(vector, 1000)) == len(made)


def test_the_same_people_make_the_same_index(city: City) -> None:
    first = index.newest(city.home.indexes, city.release.release_id)
    assert city.build_index().index_id == first.index_id
    city.favors["1000"]["event_place_ids"] = city.favors["1001"]["event_place_ids"]
    city.write()
    assert city.build_index().index_id != first.index_id


def test_the_order_in_which_people_come_does_not_matter(city: City) -> None:
    first = index.newest(city.home.indexes, city.release.release_id)
    city.favors = dict(reversed(city.favors.items()))
    city.write()
    made = city.build_index()
    assert made.users.to_pylist() == first.users.to_pylist()
    assert np.allclose(made.vectors, first.vectors, atol=1e-6)


def test_of_each_user_the_newest_row_known_then_counts(city: City) -> None:
    earlier = index.newest(city.home.indexes, city.release.release_id)
    later = KNOWN_AT + timedelta(days=2)
    city.favors["1000"] = city.favors["1000"] | {"known_at": later}
    city.favors["1001"] = city.favors["1001"] | {"is_discoverable": False, "known_at": later}
    city.write()
    then = city.build_index(KNOWN_AT + timedelta(days=1))
    assert len(then) == len(earlier) - 2
    now = city.build_index(later)
    assert set(earlier.users.to_pylist()) - set(now.users.to_pylist()) == {city.pseudonym("1001")}


def test_an_index_of_nobody_can_be_searched(city: City) -> None:
    made = index.build(city.release.folder, [], city.home.indexes, KNOWN_AT)
    width = load(city.release.folder).dimensions
    assert len(made) == 0
    assert made.search(np.ones(width, dtype=np.float32), 5) == []


def test_progress_is_told(city: City) -> None:
    told: list[int] = []
    known = load(city.release.folder).places.place_ids
    from serving.histories import discoverable

    features = city.home.features
    people = discoverable(
        features / "user_favor.parquet", features / "place.parquet", known, KNOWN_AT
    )
    made = index.build(city.release.folder, people, city.home.indexes, KNOWN_AT, told.append)
    assert told[-1] == len(made)


def test_the_newest_index_of_a_release_is_chosen(city: City) -> None:
    city.favors.pop("1000")
    city.write()
    later = city.build_index(datetime(2026, 1, 1, tzinfo=UTC))
    assert index.newest(city.home.indexes, city.release.release_id).index_id == later.index_id
    with pytest.raises(index.IndexFaultError, match="tastemate run"):
        index.newest(city.home.indexes, "0" * 32)


def test_an_index_of_an_earlier_version_stands_in_no_other_releases_way(city: City) -> None:
    wanted = index.newest(city.home.indexes, city.release.release_id)
    old = city.home.indexes / "old"
    old.mkdir()
    told = {"release_id": "f" * 32, "as_of": "2025-01-01T00:00:00+00:00"}
    (old / index.META).write_text(json.dumps(told))
    newest = index.newest(city.home.indexes, city.release.release_id)
    assert newest.index_id == wanted.index_id
    with pytest.raises(index.IndexFaultError, match=r"it lacks users\.parquet"):
        index.newest(city.home.indexes, "f" * 32)


def test_a_damaged_index_is_refused(city: City) -> None:
    made = index.newest(city.home.indexes, city.release.release_id)
    meta = made.folder / "index.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"dimensions": 3}))
    with pytest.raises(index.IndexFaultError, match=r"vectors\.npy"):
        index.open_index(made.folder)
    (made.folder / "users.parquet").unlink()
    with pytest.raises(index.IndexFaultError, match=r"users\.parquet"):
        index.open_index(made.folder)


def test_an_index_without_somebody_is_the_one_that_never_had_them(city: City) -> None:
    made = index.newest(city.home.indexes, city.release.release_id)
    without = index.without(made.folder, city.pseudonym("1000"))
    kept = [
        row for row, user in enumerate(made.users.to_pylist()) if user in without.users.to_pylist()
    ]
    assert set(made.users.to_pylist()) - set(without.users.to_pylist()) == {city.pseudonym("1000")}
    assert np.array_equal(without.vectors, made.vectors[kept])
    assert np.array_equal(without.usual, usual_likeness(without.vectors))
    assert (without.release_id, without.as_of) == (made.release_id, made.as_of)
    del city.favors["1000"]
    city.write()
    assert city.build_index().index_id == without.index_id
