"""The approximate search: what it finds, what it says of itself, and who is no longer in it."""

import json

import numpy as np
import pytest

from serving import ann, index
from tests.serving.city import City


@pytest.fixture
def many(city: City, monkeypatch: pytest.MonkeyPatch) -> index.Index:
    """The city's index, built as if its people were very many, two in a list."""
    monkeypatch.setattr(ann, "MOST_EXACT", 10)
    monkeypatch.setattr(ann, "_PEOPLE_A_LIST", 2)
    monkeypatch.setattr(ann, "LEAST_RECALL", 0.5)
    city.favors["1000"]["event_place_ids"] = city.favors["1001"]["event_place_ids"]
    city.write()
    return city.build_index()


def test_it_says_what_share_of_the_nearest_it_finds(many: index.Index) -> None:
    meta = json.loads((many.folder / index.META).read_text())
    assert meta["search"] == "approximate"
    askers = np.unique(np.linspace(0, len(many) - 1, 200).astype(int))
    shares = []
    for asker in askers:
        vector = np.asarray(many.vectors[asker])
        exact = {user for user, _ in many.search_exactly(vector, 10)}
        shares.append(len(exact & {user for user, _ in many.search(vector, 10)}) / 10)
    assert meta["recall_at_10"] == many.recall == pytest.approx(np.mean(shares), abs=0.05)


def test_going_further_down_the_list_reaches_everybody_once(many: index.Index) -> None:
    vector = np.asarray(many.vectors[0])
    few = [user for user, _ in many.search(vector, 3)]
    assert [user for user, _ in many.search(vector, 6)][:3] == few
    everybody = [user for user, _ in many.search(vector, len(many) + 5)]
    assert sorted(everybody) == many.users.to_pylist()


def test_who_is_forgotten_is_not_found_in_it_either(many: index.Index) -> None:
    assert many.approximate is not None
    gone = many.users[0].as_py()
    vector = np.asarray(many.vectors[0])
    assert gone in {user for user, _ in many.search(vector, 3)}
    kept = index.without(many.folder, gone)
    assert kept.approximate is not None
    assert kept.approximate._index.ntotal == len(many) - 1
    assert gone not in {user for user, _ in kept.search(vector, len(many))}
    assert kept.index_id != many.index_id


def test_the_same_people_make_the_same_file(many: index.Index) -> None:
    first = (many.folder / ann.FILE).read_bytes()
    target = many.folder.parent / "again"
    ann.build(many.vectors, many.usual, target)
    assert target.read_bytes() == first


def test_too_low_a_recall_leaves_the_search_exact(
    many: index.Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ann, "LEAST_RECALL", 1.1)
    smaller = index.without(many.folder, many.users[0].as_py())
    assert smaller.approximate is None
    assert (smaller.recall, smaller.missed_recall) == (1.0, pytest.approx(1, abs=0.5))
    assert not (smaller.folder / ann.FILE).exists()
