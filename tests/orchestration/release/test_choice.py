import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from models_ml.evaluation.report import EvaluationError
from models_ml.model_folder import ModelFolder
from models_ml.typed_json import json_text
from orchestration.home.atomic_files import write_atomically
from orchestration.home.errors import RefusedError
from orchestration.model.store import remember_model, remember_training_set
from orchestration.release import choice, live
from serving import champion
from serving.card import Card
from serving.home import Home
from serving.release import CARD, CONTENT, ReleaseError
from tests.made import HASH, evaluation, training_record, write_manifest, write_model


def judged(home: Home, *, passes: bool, champion: float | None = None) -> ModelFolder:
    """A home whose model was trained and judged."""
    remember_training_set(home, write_manifest(home.training_sets / HASH[:16]))
    told = {"model": 0.3, "own_visits": 0.2 if passes else 0.4}
    told |= {} if champion is None else {"champion": champion}
    refusals = [] if passes else ["no better than own_visits"]
    found = evaluation(told, passes=passes, refusals=refusals)
    model = write_model(ModelFolder(home.models / "m"), record=training_record(), judged=found)
    remember_model(home, model)
    return model


def unfitted(home: Home, name: str) -> ModelFolder:
    """Stand for the fitting of a baseline, which is tested where it is."""
    return ModelFolder(home.models / name)


def pretend_whole(patch: pytest.MonkeyPatch, home: Home, *release_ids: str) -> None:
    """Whether a release is whole, and has an index, is tested where they are."""
    patch.setattr(live, "verify", lambda _: None)
    patch.setattr(live.index, "newest", lambda *_: SimpleNamespace(index_id="i" * 16))
    for release_id in release_ids:
        (home.releases / release_id).mkdir(parents=True)


def test_a_model_that_passes_is_released(tmp_path: Path) -> None:
    home = Home(tmp_path)
    model = judged(home, passes=True)
    chosen = choice.choose(home)
    assert (chosen.folder, chosen.stays) == (model, None)
    assert "0.3000" in chosen.reason
    assert "-0.0100 to +0.0200" in chosen.reason


def make_live(home: Home, kind: str, training_set_hash: str) -> None:
    """Let a release be live that was fitted to another training set, or to the same."""
    folder = home.releases / ("r" * 32)
    for name in CONTENT:
        write_atomically(folder / name, "")
    card = Card(
        release_id="r" * 32, kind=kind, name="x", created_at="2026-01-01", files={},
        training_set_hash=training_set_hash,
    )  # fmt: skip
    write_atomically(folder / CARD, json_text(card))
    champion.promote(home, "r" * 32, "i" * 16, "earlier")


@pytest.mark.parametrize(
    ("kind", "learned", "asked", "stays"),
    [
        ("model", "cd" * 32, 0.1, True),
        ("baseline", HASH, 0.4, True),
        ("baseline", "cd" * 32, 0.41, True),
        ("baseline", "cd" * 32, 0.4, False),
        # It is of an earlier version, and could not be asked.
        ("baseline", "cd" * 32, None, False),
    ],
)
def test_a_baseline_does_not_age_while_models_are_refused(  # noqa: PLR0913, PLR0917 - a table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    learned: str,
    asked: float | None,
    stays: bool,  # noqa: FBT001
) -> None:
    home = Home(tmp_path)
    judged(home, passes=False, champion=asked)
    make_live(home, kind, learned)
    monkeypatch.setattr(
        choice, "_baseline_folder", lambda home, name: ModelFolder(home.models / name)
    )
    chosen = choice.choose(home)
    wanted = (None, "r" * 32) if stays else (ModelFolder(home.models / "own_visits"), None)
    assert (chosen.folder, chosen.stays) == wanted
    assert ("counted anew" in chosen.reason) is not stays


def test_a_model_that_fails_leaves_what_is_live(tmp_path: Path) -> None:
    home = Home(tmp_path)
    judged(home, passes=False)
    make_live(home, "model", HASH)
    chosen = choice.choose(home)
    assert (chosen.folder, chosen.stays) == (None, "r" * 32)
    # As the asset tells it, beside the id of what stays.
    assert chosen.reason == "stays live, for the new model is refused: no better than own_visits"


def test_a_release_promoted_by_hand_stays_until_another_model_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    judged(home, passes=True)
    pretend_whole(monkeypatch, home, "r" * 32)
    with pytest.raises(ReleaseError, match=f"no release xx. Those that are there: {'r' * 32}"):
        live.promote(home, "xx", "a part of the name")
    live.promote(home, "r" * 32, "the newer one has odd answers")
    assert choice.choose(home).stays == "r" * 32
    another = ModelFolder(home.models / "another")
    shutil.copytree(home.models / "m", another.path)
    remember_model(home, another)
    assert choice.choose(home).folder == another


def test_rolling_back_makes_live_what_was_live_before_and_once_more_undoes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    judged(home, passes=True)
    pretend_whole(monkeypatch, home, "a" * 32, "b" * 32)
    champion.promote(home, "a" * 32, "i" * 16, "first")
    with pytest.raises(RefusedError, match="the only release"):
        live.roll_back(home, "nothing to go back to")
    champion.promote(home, "b" * 32, "i" * 16, "second")
    champion.promote(home, "b" * 32, "j" * 16, "a new index of it")
    assert live.roll_back(home, "odd answers").release_id == "a" * 32
    # A run leaves it live, for it was chosen by hand.
    assert choice.choose(home).stays == "a" * 32
    assert live.roll_back(home, "they were right").release_id == "b" * 32
    assert champion.read(home).reason == "they were right"


def test_an_evaluation_that_lacks_what_the_gate_asks_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    model = judged(home, passes=True)
    old = json.loads(model.evaluation.read_text())
    del old["refusals"]
    model.evaluation.write_text(json.dumps(old))
    with pytest.raises(EvaluationError, match=r"refusals is missing.*Evaluate again"):
        choice.choose(home)


def test_where_nothing_is_live_the_best_baseline_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    judged(home, passes=False)
    # Fitting baselines is tested where they are; here it matters which is asked for.
    monkeypatch.setattr(
        choice, "_baseline_folder", lambda home, name: ModelFolder(home.models / name)
    )
    assert choice.choose(home).folder == ModelFolder(home.models / "own_visits")
