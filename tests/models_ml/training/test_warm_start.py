"""A warm start: what is carried over, what it is refused for, and that it can be stopped."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models_ml.baselines.fit import fit_baselines
from models_ml.data.leakage import LearnedBeforeError
from models_ml.data.tokens import SPECIAL_TOKENS, Vocabulary
from models_ml.data.training_set import read_training_set
from models_ml.model_folder import ModelFolder
from models_ml.network.bert import Network
from models_ml.presets import preset_named
from models_ml.train import OtherRunError, main, train
from models_ml.training.run import Training
from models_ml.training.warm_start import WarmStart, WarmStartError
from tests.models_ml.conftest import (
    TOWN_CATEGORIES,
    town_choices,
    train_until_killed,
    write_training_set,
)

PLACES = "encoder.embeddings.word_embeddings.weight"
EARLY, LATE = 1300, 2200


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town as it was known early, and later with more events and a place more."""
    folder = tmp_path_factory.mktemp("sets")
    whole = town_choices()
    early = {
        user: [event for event in events if event[1] < EARLY] for user, events in whole.items()
    }
    for nth, user in enumerate(whole):
        whole[user] += [("e0", LATE - 100 + nth)] * 3 + [("a0", LATE + nth)] * 2
    whole["newcomer"] = [("a0", minute) for minute in range(LATE - 50, LATE)]
    write_training_set(folder / "early", early, EARLY - 200, TOWN_CATEGORIES)
    write_training_set(folder / "late", whole, LATE, TOWN_CATEGORIES | {"e0": ["E"]})
    return folder


@pytest.fixture(scope="module")
def model(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the early town."""
    torch.set_num_threads(2)
    out = tmp_path_factory.mktemp("models") / "early"
    train(sets / "early", out, "tiny")
    return out


@pytest.fixture(scope="module")
def warm(sets: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of the later town, begun with its weights."""
    out = tmp_path_factory.mktemp("models") / "warm"
    train(sets / "late", out, "tiny", warm_start=model)
    return out


def started(sets: Path, model: Path, **changes: object) -> Training:
    preset = replace(preset_named("tiny"), **changes)
    return Training(read_training_set(sets / "late"), preset, seed=1, start=WarmStart.read(model))


def test_what_is_known_keeps_its_weights_under_its_new_token(sets: Path, model: Path) -> None:
    begun = started(sets, model)
    # The running mean of weights, which answers, begins with them too.
    earlier, now = load_file(model / "model.safetensors"), begun.answering.state_dict()
    before, after = Vocabulary.read(ModelFolder(model)), begun.vocabulary
    assert after.places.place_ids != before.places.place_ids
    for row, place in enumerate(after.places.place_ids):
        if place in before.places.positions:
            was = before.places.positions[place]
            assert torch.equal(now["bias"][row], earlier["bias"][was])
            assert torch.equal(
                now[PLACES][SPECIAL_TOKENS + row], earlier[PLACES][SPECIAL_TOKENS + was]
            )
    assert torch.equal(now[PLACES][:SPECIAL_TOKENS], earlier[PLACES][:SPECIAL_TOKENS])
    for code in before.categories:
        rows = (1 + names.index(code) for names in (after.categories, before.categories))
        assert torch.equal(
            now["categories.weight"][next(rows)], earlier["categories.weight"][next(rows)]
        )
    for name in ("pointer.query.weight", "times.0.weight"):
        assert torch.equal(now[name], earlier[name])


def test_with_the_same_vocabulary_the_network_answers_as_before(model: Path) -> None:
    start = WarmStart.read(model)
    network = Network(start.architecture, start.vocabulary)
    start.put_into(network, start.vocabulary)
    earlier = load_file(model / "model.safetensors")
    assert all(torch.equal(value, earlier[name]) for name, value in network.state_dict().items())


def test_what_has_vanished_is_dropped(model: Path) -> None:
    start = WarmStart.read(model)
    kept = [row for row, name in enumerate(start.vocabulary.places.place_ids) if name != "a1"]
    table = start.vocabulary.places
    places = table.take(torch.tensor(kept).numpy(), table.event_counts[kept])
    fewer = Vocabulary(places, ["B"], start.vocabulary.districts, start.vocabulary.kinds)
    network = Network(start.architecture, fewer)
    start.put_into(network, fewer)
    earlier = load_file(model / "model.safetensors")
    assert torch.equal(network.bias, earlier["bias"][kept])


def test_a_new_place_begins_with_what_is_known_of_it(sets: Path, model: Path) -> None:
    begun = started(sets, model)
    row = begun.vocabulary.places.positions["e0"]
    assert "e0" not in Vocabulary.read(ModelFolder(model)).places.positions
    own = begun.network.state_dict()[PLACES][SPECIAL_TOKENS + row]
    earlier = load_file(model / "model.safetensors")[PLACES]
    assert torch.equal(own, earlier.mean(0))


def test_the_model_says_what_it_began_with_and_what_it_has_learned_from(
    sets: Path, model: Path, warm: Path
) -> None:
    training = json.loads((warm / "training.json").read_text())
    first = json.loads((model / "training.json").read_text())
    assert training["warm_start"] == model.name
    assert training["identity"]["warm_start"] == WarmStart.read(model).content
    assert training["learned_from"][:1] == first["learned_from"]
    hashes = [
        json.loads((sets / name / "manifest.json").read_text())["hash"]
        for name in ("early", "late")
    ]
    assert [one["training_set_hash"] for one in training["learned_from"]] == hashes
    assert first["warm_start"] is None


def test_its_schedule_is_shorter(model: Path, warm: Path) -> None:
    of = {
        folder: json.loads(
            json.loads((folder / "training.json").read_text())["identity"]["settings"]
        )
        for folder in (model, warm)
    }
    assert of[warm]["epochs"] < of[model]["epochs"]
    assert of[warm]["hidden_size"] == of[model]["hidden_size"]


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2])
def test_a_killed_warm_start_goes_on_as_if_never_stopped(
    sets: Path, model: Path, warm: Path, tmp_path: Path, step: int
) -> None:
    out = tmp_path / "killed"
    train_until_killed(sets / "late", out, step, warm_start=model)
    train(sets / "late", out, "tiny", warm_start=model)
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (out, warm))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_finished_one_is_left_alone_and_another_beginning_is_another_training(
    sets: Path, model: Path, warm: Path
) -> None:
    assert not train(sets / "late", warm, "tiny", warm_start=model).is_new
    with pytest.raises(OtherRunError, match=r"another .*warm_start"):
        train(sets / "late", warm, "tiny")


def test_another_architecture_is_refused(sets: Path, model: Path) -> None:
    with pytest.raises(WarmStartError, match="hidden_size is 16, not 32"):
        started(sets, model, hidden_size=32)


def test_a_network_of_another_version_is_refused(sets: Path, model: Path, tmp_path: Path) -> None:
    for path in model.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(model / "model.safetensors")
    del weights["pointer.age"]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(WarmStartError, match=r"has no pointer\.age of this form"):
        started(sets, tmp_path)


def test_a_folder_that_was_never_trained_is_refused(sets: Path, tmp_path: Path) -> None:
    with pytest.raises(WarmStartError, match=r"there is no config\.json"):
        WarmStart.read(tmp_path)
    baseline = fit_baselines(read_training_set(sets / "early"))[0]
    baseline.save(tmp_path / "baseline", "ab")
    with pytest.raises(WarmStartError, match=r"there is no training\.json"):
        WarmStart.read(tmp_path / "baseline")


def test_a_model_of_an_earlier_version_is_refused(model: Path, tmp_path: Path) -> None:
    for path in model.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    training = json.loads((tmp_path / "training.json").read_text())
    del training["learned_from"]
    (tmp_path / "training.json").write_text(json.dumps(training))
    with pytest.raises(WarmStartError, match="does not tell what the model has learned from"):
        WarmStart.read(tmp_path)


def test_what_was_learned_may_not_be_asked(
    sets: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shortened = {user: events[:8] for user, events in town_choices().items()}
    write_training_set(sets / "shortened", shortened, LATE, TOWN_CATEGORIES)
    with pytest.raises(LearnedBeforeError, match="train from scratch"):
        train(sets / "shortened", sets.parent / "out", "tiny", warm_start=model)
    arguments = ["--data", sets / "shortened", "--out", sets.parent / "out", "--preset", "tiny"]
    command = ["train", *map(str, arguments), "--warm-start", str(model)]
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 1
    assert "train from scratch" in capsys.readouterr().err
