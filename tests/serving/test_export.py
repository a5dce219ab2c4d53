"""The exported network: it answers as the network itself, or it is not served."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.baselines.fit import fit_baselines
from models_ml.data.tokens import History
from models_ml.data.training_set import read_training_set
from models_ml.evaluation.ranking import some_people
from models_ml.loading import load
from models_ml.model_folder import CONTENT as MODEL_FILES
from models_ml.model_folder import EXPORT as RECORD
from models_ml.model_folder import GRAPH, ModelFolder, ModelFolderError
from models_ml.presets import preset_named
from models_ml.torch_model import TrainedModel
from models_ml.train import train
from serving import export as exporting
from serving.export import BOUND, export, largest_difference, write_graph
from serving.onnx_model import ExportedModel, open_recommender
from tests.models_ml.conftest import (
    TOWN_CATEGORIES,
    TOWN_CUT,
    town_choices,
    write_training_set,
)
from tests.serving.city import PLACES, City

DAY = 86_400_000_000
WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers"}:
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Refuse())
from pathlib import Path
from models_ml.data.tokens import History
from serving.onnx_model import open_recommender
model = open_recommender(Path(sys.argv[1]))
history = History(model.places.place_ids[:3], ["visit"] * 3, [0] * 3, [-1.0] * 3)
print(model.score([history]).shape[1], model.embed([history]).shape[1])
"""

WITH_TORCH_AT_HAND = """
import sys
from pathlib import Path
import serving.service
from serving.home import Home

serving.service.LIVE.open(Home(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3])
print([name for name in ("torch", "transformers") if name in sys.modules])
from feast.torch_wrapper import get_torch
print(get_torch().__name__)
"""


@pytest.fixture(scope="module")
def model(finished_city: City) -> Path:
    return finished_city.home.models / "bert"


@pytest.fixture(scope="module")
def pair(model: Path) -> tuple[ExportedModel, TrainedModel]:
    """The exported network, and the network."""
    exported, network = open_recommender(model), load(model)
    assert isinstance(exported, ExportedModel)
    assert isinstance(network, TrainedModel)
    return exported, network


@pytest.fixture
def plain(model: Path, tmp_path: Path) -> Path:
    """The model as training leaves it."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in MODEL_FILES:
        shutil.copyfile(model / name, folder / name)
    return folder


def of(*places: str, every: int = DAY) -> History:
    count = len(places)
    return History(places, ["visit"] * count, [n * every for n in range(count)], [-1.0] * count)


events = st.tuples(
    st.sampled_from([*PLACES, "new-bar", "nowhere"]),
    st.sampled_from(["visit", "like", "unheard of"]),
    st.integers(0, 10**15),
)
around = {"new-bar": (["bar", "any"], "d9"), "unasked": (["cafe"], "d1")}


@st.composite
def histories(draw: st.DrawFn) -> History:
    told = draw(st.lists(events, max_size=12)) * draw(st.sampled_from([1, 2, 17]))
    return History(
        [place for place, _, _ in told],
        [kind for _, kind, _ in told],
        sorted(at for _, _, at in told),
        [-1.0] * len(told),
        around,
    )


@settings(max_examples=40, deadline=None)
@given(people=st.lists(histories(), max_size=4))
def test_its_scores_are_those_of_the_network(
    pair: tuple[ExportedModel, TrainedModel], people: list[History]
) -> None:
    exported, network = pair
    assert np.allclose(exported.score(people), network.score(people), rtol=0, atol=BOUND / 10)
    assert np.array_equal(exported.embed(people), network.embed(people))


def test_company_changes_nothing(model: Path) -> None:
    exported = open_recommender(model)
    people = [of(), of("p01"), of("p02", "nowhere", "p03"), of(*PLACES * 7)]
    together = exported.score(people)
    for row, person in enumerate(people):
        assert np.allclose(exported.score([person])[0], together[row], rtol=0, atol=1e-5)


def test_it_answers_where_torch_is_not_installed(model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, model],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == str(len(PLACES))


def test_a_service_of_it_leaves_torch_alone_where_it_is_installed(finished_city: City) -> None:
    release = finished_city.release
    done = subprocess.run(
        [sys.executable, "-c", WITH_TORCH_AT_HAND, finished_city.home.root, release.folder,
         release.release_id],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "torch"]


def test_an_encoder_that_normalizes_first_is_exported_too(tmp_path: Path) -> None:
    town = write_training_set(tmp_path / "set", town_choices(), TOWN_CUT, TOWN_CATEGORIES)
    preset = replace(preset_named("tiny"), epochs=1, counts=False, pre_norm=True)
    train(town, tmp_path / "model", preset)
    people = some_people(read_training_set(town))
    made = export(ModelFolder(tmp_path / "model"), lambda: people)
    assert made is not None
    assert not made.refusal


def test_what_is_exported_already_is_left_as_it_is(model: Path) -> None:
    before = (model / GRAPH).stat().st_mtime_ns
    made = export(ModelFolder(model), lambda: [of("p01")])
    assert made is not None
    assert not made.refusal
    assert made.largest_difference is not None
    assert made.largest_difference <= BOUND
    assert (model / GRAPH).stat().st_mtime_ns == before


def test_the_same_weights_give_the_same_bytes_and_no_trace_of_the_machine(
    model: Path, tmp_path: Path
) -> None:
    trained = load(model)
    assert isinstance(trained, TrainedModel)
    write_graph(trained.scorer, tmp_path / GRAPH)
    written = (tmp_path / GRAPH).read_bytes()
    assert written == (model / GRAPH).read_bytes()
    assert b".py" not in written


def test_an_export_that_differs_is_not_served(
    model: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def false_graph(_: object, path: Path) -> None:
        shutil.copyfile(model / GRAPH, path)

    monkeypatch.setattr(exporting, "write_graph", false_graph)
    network = load(plain)
    assert isinstance(network, TrainedModel)
    with torch.no_grad():
        network.scorer._network.bias[3] += 0.01
    monkeypatch.setattr(exporting, "TrainedModel", lambda *_: network)
    made = export(ModelFolder(plain), lambda: [of("p01", "p02")])
    assert made is not None
    assert made.refusal == "a log-score differs by 0.01, 0.001 is allowed"
    assert not (plain / GRAPH).exists()
    assert json.loads((plain / RECORD).read_text())["refusal"] == made.refusal
    assert isinstance(open_recommender(plain), TrainedModel)


def test_a_network_that_cannot_be_exported_is_served_by_torch(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(torch.onnx, "export", fail)
    made = export(ModelFolder(plain), lambda: [of("p01")])
    assert made is not None
    assert made.refusal == "it cannot be exported: no such operator"
    assert isinstance(open_recommender(plain), TrainedModel)


def test_scores_that_are_no_numbers_are_infinitely_wrong(model: Path) -> None:
    class Broken(ExportedModel):
        def score(self, histories):
            scores = super().score(histories)
            # Of nobody but who has the longest history, asked alone.
            is_last = len(histories) == 1 and len(histories[0].place_ids) == 200
            return scores * np.float32(np.nan) if is_last else scores

    folder = ModelFolder(model)
    broken = Broken(folder, folder.read_config())
    assert largest_difference(load(model), broken, [of("p01")]) == float("inf")


def test_an_export_that_cannot_be_run_is_named(model: Path, plain: Path) -> None:
    (plain / GRAPH).write_bytes((model / GRAPH).read_bytes()[:1000])
    with pytest.raises(ModelFolderError, match=rf"{GRAPH}: ONNX Runtime .* cannot run it"):
        open_recommender(plain)


@pytest.mark.parametrize("changed", ["weights", "graph"])
def test_an_export_of_other_weights_or_with_other_bytes_is_made_anew(
    model: Path, plain: Path, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.loads((model / RECORD).read_text())
    (plain / RECORD).write_text(json.dumps(kept | {changed: "0" * 64}))
    shutil.copyfile(model / GRAPH, plain / GRAPH)
    written = []

    def same_graph(_: object, path: Path) -> None:
        written.append(path)
        shutil.copyfile(model / GRAPH, path)

    monkeypatch.setattr(exporting, "write_graph", same_graph)
    made = export(ModelFolder(plain), lambda: [of("p01")])
    assert written == [plain / GRAPH]
    assert made is not None
    assert vars(made)[changed] == kept[changed]
    export(ModelFolder(plain), lambda: [of("p01")])
    assert len(written) == 1


def test_a_baseline_has_no_network_to_export(finished_city: City, tmp_path: Path) -> None:
    training_set = read_training_set(finished_city.home.training_sets / "one")
    fit_baselines(training_set)[0].save(tmp_path, training_set.hash)
    assert export(ModelFolder(tmp_path), lambda: some_people(training_set)) is None
    assert not (tmp_path / GRAPH).exists()
