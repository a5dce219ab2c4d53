"""The makers of inputs for daily life: each can be imported, and makes what it says."""

import importlib
from pathlib import Path

import pytest

from models_ml.data.training_set import read_training_set
from orchestration.landing import land, load_mapping
from serving.home import Home
from tests.cases.daily_life import (
    few_events_each,
    many_files,
    null_in_a_list,
    only_the_day_is_known,
    search_in_sessions,
    small_home,
)

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("daily_life/*.py"))
README = (Path(__file__).parent / "daily_life" / "README.md").read_text()


@pytest.mark.parametrize("name", MODULES)
def test_a_maker_can_be_imported_and_is_told_of(name: str) -> None:
    assert importlib.import_module(f"tests.cases.daily_life.{name}").__doc__
    assert f"| `{name}` |" in README


def test_the_small_source_lands(tmp_path: Path) -> None:
    small_home.write_visits(tmp_path / "export")
    files = land(Home(tmp_path / "home"), load_mapping(small_home.MAPPING), tmp_path / "export")
    assert [(file.kind, file.lines_in) for file in files] == [("places", 80), ("events", 4000)]
    assert [file.unreadable for file in files] == [{}, {}]


def test_people_have_few_events_each(tmp_path: Path) -> None:
    choices = few_events_each.one_visit_each()
    data = read_training_set(few_events_each.training_set_of(choices, tmp_path))
    assert len(data.places) == 2400
    assert [visits[0][0] for visits in choices.values()].count("square") == 2000
    assert {len(visits) for visits in few_events_each.two_visits_each().values()} == {2}


@pytest.mark.parametrize("mapping", ["MAPPING", "MAPPING_OWN_IDS"])
def test_likes_of_a_day_land_under_both_mappings(tmp_path: Path, mapping: str) -> None:
    only_the_day_is_known.write_marks(tmp_path / "export")
    source = load_mapping(getattr(only_the_day_is_known, mapping))
    (file,) = land(Home(tmp_path / "home"), source, tmp_path / "export")
    assert (file.lines_in, file.unreadable) == (13_500, {})


def test_ids_change_nothing_but_the_order_within_a_day() -> None:
    own, hashed = (only_the_day_is_known.choices(own_ids=own_ids) for own_ids in (True, False))
    assert own != hashed
    assert {user: sorted(visits) for user, visits in own.items()} == {
        user: sorted(visits) for user, visits in hashed.items()
    }
    assert not any(
        visits == sorted(visits, key=lambda visit: (visit[1], visit[0])) for visits in own.values()
    )


def test_many_files_land_one_by_one(tmp_path: Path) -> None:
    many_files.write_parts(tmp_path / "export", 3)
    files = land(Home(tmp_path / "home"), "sample", tmp_path / "export")
    assert [(file.kind, file.lines_in) for file in files] == [("places", 1)] + [("likes", 1)] * 3


def test_a_search_tells_what_each_session_tried(tmp_path: Path) -> None:
    (first, second) = search_in_sessions.tried(tmp_path, sessions=2, trials=1)
    assert len(first) == len(second) == 1


@pytest.mark.parametrize(("data_type", "content"), null_in_a_list.LISTS)
def test_each_list_has_a_null_inside(data_type: str, content: list[object]) -> None:
    view, batch = null_in_a_list.rows_of(data_type, content)
    assert batch.column("xs").to_pylist() == [content]
    assert batch.schema.names == [view.key.name, view.timestamp, "xs"]
