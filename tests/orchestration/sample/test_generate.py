import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from orchestration.landing import land
from orchestration.sample import SampleCity, SampleError, generate
from serving.home import Home
from serving.pseudonyms import canonical_id

KINDS = ["places", "likes", "reviews"]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> SampleCity:
    return generate(tmp_path_factory.mktemp("city"), users=300, places=400, events=20_000)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two, other = (
        generate(tmp_path / name, events=1500, seed=seed)
        for name, seed in (("one", 7), ("two", 7), ("other", 8))
    )
    for kind in KINDS:
        first = (one.documents / f"{kind}.jsonl").read_bytes()
        assert first == (two.documents / f"{kind}.jsonl").read_bytes()
        assert first != (other.documents / f"{kind}.jsonl").read_bytes()
    assert one.truth.read_bytes() == two.truth.read_bytes()


def test_the_dirt_is_what_was_announced(city: SampleCity, tmp_path: Path) -> None:
    dirt = json.loads(city.dirt.read_text())
    landed = {file.kind: file for file in land(Home(tmp_path), "sample", city.documents)}
    seen_by_landing = {"blank_line", "not_json", "not_text", "not_an_object", "no_user"}
    for kind in KINDS:
        announced = {reason: n for reason, n in dirt[kind].items() if reason in seen_by_landing}
        assert landed[kind].lines_in == dirt[kind]["lines"]
        assert landed[kind].unreadable == announced
    assert dirt["likes"]["good"] + dirt["reviews"]["good"] == 20_000
    assert {"in_future", "before_2000", "no_time", "bad_rating", "duplicate"} <= set(
        dirt["reviews"]
    )


def test_repeated_lines_are_exact(city: SampleCity) -> None:
    lines = (city.documents / "likes.jsonl").read_bytes().split(b"\n")[:-1]
    repeated = sum(count - 1 for line, count in Counter(lines).items() if line)
    assert repeated == json.loads(city.dirt.read_text())["likes"]["duplicate"]


def test_the_truth_lies_outside_what_is_ingested(city: SampleCity) -> None:
    assert not city.truth.is_relative_to(city.documents)
    assert {path.stem for path in city.documents.iterdir()} == set(KINDS)
    truth = pq.read_table(city.truth).to_pydict()
    assert len(truth["user_id"]) == 300
    assert np.allclose([sum(weights) for weights in truth["tastes"]], 1)
    assert 0.01 < 1 - np.mean(truth["is_discoverable"]) < 0.12


def test_everyone_who_likes_is_in_the_truth(city: SampleCity) -> None:
    known = set(pq.read_table(city.truth)["user_id"].to_pylist())
    met = set()
    for line in (city.documents / "likes.jsonl").read_bytes().split(b"\n"):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            met.add(canonical_id(document.get("user_id")))
    assert met - {None} <= known


def test_taste_and_district_are_confounded_but_not_the_same(city: SampleCity) -> None:
    truth = pq.read_table(city.truth).to_pydict()
    table = np.zeros((8, 16))
    np.add.at(table, (truth["main_taste"], truth["district"]), 1)
    by_chance = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    chi_square = ((table - by_chance) ** 2 / by_chance.clip(1e-9)).sum()
    assert chi_square > 2 * 7 * 15
    assert (table.max(1) / table.sum(1)).mean() < 0.6


def test_a_city_with_more_people_than_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="events is 5"):
        generate(tmp_path, users=9, events=5)


@pytest.mark.parametrize("size", [1, 20, 100])
def test_a_hamlet_is_a_city_too(tmp_path: Path, size: int) -> None:
    city = generate(tmp_path, users=1, places=size, events=size)
    dirt = json.loads(city.dirt.read_text())
    assert dirt["places"]["good"] == size
    assert dirt["likes"].get("good", 0) + dirt["reviews"].get("good", 0) == size
