"""The page on quality, from a real comparison on a made-up town."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models_ml.baselines.fit import fit_baselines
from models_ml.data.training_set import read_training_set
from models_ml.evaluation.comparison import compare
from models_ml.evaluation.report import Comparison
from models_ml.loading import load
from models_ml.model_folder import ModelFolder
from models_ml.train import train
from orchestration.model.store import record_of
from orchestration.release.model_card import Published, quality_page
from tests.models_ml.conftest import TOWN_CATEGORIES, TOWN_CUT, town_choices, write_training_set

if TYPE_CHECKING:
    from models_ml.recommender import Recommender

Compared = tuple[Comparison, ModelFolder]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """A comparison, and the folder of the model in it."""
    folder = tmp_path_factory.mktemp("town")
    town = write_training_set(folder / "set", town_choices(), TOWN_CUT, TOWN_CATEGORIES)
    train(town, folder / "model", preset="tiny")
    train(town, folder / "rival", preset="tiny", seed=1)
    data = read_training_set(town)
    recommenders: dict[str, Recommender] = {
        "model": load(folder / "model"), "model, seed 1": load(folder / "rival"),
    }  # fmt: skip
    recommenders |= {baseline.name: baseline for baseline in fit_baselines(data)}
    return compare(recommenders, data), ModelFolder(folder / "model")


@pytest.fixture(scope="module")
def page(compared: Compared) -> str:
    report, model = compared
    return quality_page(
        "Quality of <the town>",
        report,
        {"model": record_of(model)},
        published=[Published("Elsewhere", "somebody", 0.5, None)],
        notes=["trained & told"],
    )


def test_every_recommender_has_a_row_in_each_split(page: str) -> None:
    for name in ("model", "model, seed 1", "popularity", "own_visits", "item_knn", "ease",
                 "co_occurrence"):  # fmt: skip
        # One of ranks, one of lists.
        assert page.count(f"<td>{name}</td>") == 2 * 2


def test_new_places_have_a_column_for_each_reading(page: str) -> None:
    assert page.count("<th>new places</th><th>new among unvisited</th><th>returns</th>") == 2


def test_published_figures_stand_beside_leave_one_out_alone(page: str) -> None:
    assert page.count("Elsewhere (somebody)") == 1
    assert page.index("Elsewhere") > page.index("each user&#39;s last event")


def test_pictures_are_inside_and_words_are_escaped(page: str) -> None:
    # Quality, slices and calibration of both splits, and one training.
    assert page.count("data:image/png;base64,") == 2 * 3 + 1
    assert "Quality of &lt;the town&gt;" in page
    assert "trained &amp; told" in page


def test_the_page_marks_what_it_is_about(page: str, compared: Compared) -> None:
    assert page.count('<tr class="ours"><td>model') == 2 * 2 * 2
    of_baseline = quality_page("A baseline", compared[0], {}, is_marked="item_knn".__eq__)
    assert of_baseline.count('<tr class="ours"><td>item_knn') == 2 * 2
    assert of_baseline.count('class="ours"') == 2 * 2


def test_a_page_can_be_about_a_baseline_where_there_is_no_model(tmp_path: Path) -> None:
    town = write_training_set(tmp_path, town_choices(), TOWN_CUT, TOWN_CATEGORIES)
    data = read_training_set(town)
    asked: dict[str, Recommender] = {one.name: one for one in fit_baselines(data)}
    told = quality_page(
        "The first answer", compare(asked, data, subject="ease"), {}, subject="ease"
    )
    assert "swapping the answers of ease with" in told
    assert "model" not in told


def test_a_split_without_targets_is_left_out(tmp_path: Path) -> None:
    data = read_training_set(write_training_set(tmp_path, town_choices(), 10**6, TOWN_CATEGORIES))
    baselines = fit_baselines(data)
    report = compare({"model": baselines[0], "own_visits": baselines[1]}, data)
    told = quality_page("without a cut", report, {})
    assert "each user&#39;s last event" in told
    assert "the last tenth of events" not in told
