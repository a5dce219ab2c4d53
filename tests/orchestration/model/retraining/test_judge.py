"""The verdict on homes whose training sets and models lie there as runs leave them."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from models_ml.data.leakage import LearnedFrom
from models_ml.data.training_set import read_training_set
from models_ml.model_folder import ModelFolder
from models_ml.presets import preset_named
from models_ml.training.record import Identity
from models_ml.typed_json import json_text
from orchestration.model.retraining.judge import Wish, judge, remember, remembered
from orchestration.model.retraining.policy import POLICY_FILE, PolicyError
from orchestration.model.retraining.verdict import Verdict
from orchestration.model.store import remember_model, remember_training_set
from serving.home import Home
from tests.made import evaluation, training_record, write_model
from tests.models_ml.conftest import write_training_set

Choices = dict[str, list[tuple[str, int]]]
DAY = 24 * 60


def visits(count: int, place: str = "cafe", begin: int = 0) -> list[tuple[str, int]]:
    return [(f"{place}{minute % 3}", begin + minute) for minute in range(count)]


PEOPLE: Choices = {"ann": visits(50), "bob": visits(50)}


def land(home: Home, choices: Choices, cut_minute: int = 45) -> Path:
    """Write *choices* as the home's newest training set."""
    draft = write_training_set(home.training_sets / "draft", choices, cut_minute)
    made = json.loads((draft / "manifest.json").read_text())
    folder = home.training_sets / made["hash"][:16]
    draft.rename(folder)
    remember_training_set(home, folder)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a model of its only training set."""
    home = Home(tmp_path / "home")
    data = read_training_set(land(home, PEOPLE))
    identity = Identity(data.hash, "tiny", preset_named("tiny").as_text(), "0")
    record = training_record(identity=identity, learned_from=[LearnedFrom(data.hash, "part")])
    model = write_model(
        ModelFolder(home.models / "m"), config={"training_set_hash": data.hash}, record=record
    )
    data.catalogue.write(model.places)
    remember_model(home, model)
    return home


def change(path: Path, edit: Callable[[dict[str, object]], None]) -> None:
    told = json.loads(path.read_text())
    edit(told)
    path.write_text(json.dumps(told))


def ask_for(home: Home, **changes: float) -> None:
    policy = yaml.safe_load(POLICY_FILE.read_text())
    policy["retrain"] |= changes
    home.retraining.write_text(yaml.safe_dump(policy))


def test_a_fresh_home_trains_from_scratch(tmp_path: Path) -> None:
    home = Home(tmp_path)
    land(home, PEOPLE)
    assert judge(home, Wish()) == Verdict.anew("there is no model yet")


def test_a_model_that_has_learned_from_all_there_is_is_kept(home: Home) -> None:
    assert judge(home, Wish()).reasons == ["the model has learned from this very training set"]
    assert not judge(home, Wish("tiny", 0)).retrain


def test_what_a_person_asks_for_is_trained(home: Home) -> None:
    for wish in (Wish("small"), Wish("tiny", seed=1), Wish("tiny", anew=True)):
        verdict = judge(home, wish)
        assert verdict.retrain
        assert verdict.from_scratch


def test_a_few_events_more_keep_the_model_and_many_train_it_on(home: Home) -> None:
    land(home, {**PEOPLE, "bob": [*PEOPLE["bob"], ("cafe0", 60)]})
    kept = judge(home, Wish())
    assert not kept.retrain
    assert kept.figures is not None
    assert kept.figures.since == 1
    assert kept.figures.new_events == pytest.approx(0.01)
    land(home, {**PEOPLE, "bob": PEOPLE["bob"] + visits(10, begin=60)})
    verdict = judge(home, Wish())
    assert (verdict.retrain, verdict.from_scratch) == (True, False)
    assert verdict.reasons == ["10.0% new events, more than 5.0%"]


def test_age_is_counted_between_the_training_sets(home: Home) -> None:
    newest = land(home, {**PEOPLE, "bob": [*PEOPLE["bob"], ("cafe0", 60)]})
    assert not judge(home, Wish()).retrain
    later = timedelta(days=31).total_seconds()

    def age(manifest: dict[str, object]) -> None:
        from datetime import datetime

        moment = datetime.fromisoformat(str(manifest["as_of"]))
        manifest["as_of"] = (moment + timedelta(seconds=later)).isoformat()

    change(newest / "manifest.json", age)
    assert judge(home, Wish()).reasons == ["the model is 31 days old, more than 30"]


def test_events_at_places_that_are_new_count_as_unknown_and_as_drift(home: Home) -> None:
    ask_for(home, new_events=9, least_events=5)
    land(home, {**PEOPLE, "bob": PEOPLE["bob"] + visits(10, "bar", 60)})
    verdict = judge(home, Wish())
    assert verdict.figures is not None
    assert verdict.figures.unknown_places == 1
    # The district of a place is its first letter: all of them have moved from c to b.
    assert verdict.figures.drift["districts"] > 0.2
    assert verdict.figures.drift["kinds"] == 0
    # Those new places lie behind the cut, so that a training would not add them.
    assert verdict.figures.new_places == 0
    assert len(verdict.reasons) >= 2


def test_a_place_counts_as_new_where_a_training_would_add_it(home: Home) -> None:
    choices = {**PEOPLE, "bob": PEOPLE["bob"] + visits(10, "bar", 60)}
    land(home, choices, cut_minute=65)
    verdict = judge(home, Wish())
    assert verdict.figures is not None
    assert verdict.figures.new_places == 1
    assert verdict.from_scratch


def test_a_model_that_the_gate_refused_is_not_gone_on_from(home: Home) -> None:
    model = ModelFolder(home.models / "m")
    model.evaluation.write_text(json_text(evaluation(passes=False)))
    land(home, {**PEOPLE, "bob": PEOPLE["bob"] + visits(10, begin=60)})
    assert judge(home, Wish()).from_scratch


@pytest.mark.parametrize("field", ["settings", "preset"])
def test_a_preset_that_has_changed_begins_anew(home: Home, field: str) -> None:
    def edit(training: dict[str, object]) -> None:
        training["identity"][field] = "other"  # type: ignore[index]

    change(home.models / "m" / "training.json", edit)
    land(home, {**PEOPLE, "bob": PEOPLE["bob"] + visits(10, begin=60)})
    verdict = judge(home, Wish())
    assert verdict.from_scratch
    assert "its preset" in verdict.reasons[-1]


def test_after_a_person_was_forgotten_it_begins_anew(home: Home) -> None:
    for folder in home.training_sets.iterdir():
        shutil.rmtree(folder)
    land(home, {"bob": PEOPLE["bob"]})
    verdict = judge(home, Wish())
    assert verdict.from_scratch
    assert "forgotten" in verdict.sentence()


def test_a_policy_that_cannot_be_used_stops_the_run(home: Home) -> None:
    ask_for(home, age_days=-1)
    land(home, {**PEOPLE, "bob": [*PEOPLE["bob"], ("cafe0", 60)]})
    with pytest.raises(PolicyError, match=r"retrain\.age_days is -1"):
        judge(home, Wish())


def test_what_was_decided_is_told_of_its_own_run_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert remembered(home, "a") is None
    remember(home, "a", Verdict.keep("nothing is new"))
    told = remembered(home, "a")
    assert told is not None
    assert told.reasons == ["nothing is new"]
    assert remembered(home, "b") is None
