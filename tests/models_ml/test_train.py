"""Training: what it may learn from, and that it can be stopped at any moment."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from models_ml import train as training
from models_ml.data.training_set import TrainingSetError
from models_ml.model_folder import ModelFolder
from models_ml.presets import UnknownPresetError
from models_ml.train import NothingToLearnError, OtherRunError, main, train
from models_ml.training.record import TrainingRecord
from tests.models_ml.conftest import train_until_killed

Choices = dict[str, list[tuple[str, int]]]
ChangedTown = Callable[[Callable[[Choices], None]], Path]

TOWN_CUT = 2200


def same_weights(one: Path, other: Path) -> bool:
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (one, other))
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[name], theirs[name]) for name in ours
    )


def test_the_same_seed_gives_the_same_weights(town: Path, trained: Path, tmp_path: Path) -> None:
    train(town, tmp_path / "again", "tiny")
    assert same_weights(tmp_path / "again", trained)


def test_a_small_set_whose_network_cannot_win_ends_early_and_says_why(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = training._count
    monkeypatch.setattr(training, "_count", lambda *told: replace(counted(*told), quality=50.0))
    monkeypatch.setattr(
        sys, "argv", ["train", "--data", str(town), "--out", str(tmp_path), "--preset", "small"]
    )
    assert main() == 0
    record = TrainingRecord.read(ModelFolder(tmp_path))
    assert record
    assert (record.epochs, record.beaten_by, record.is_cut_short) == (6, 50.0, False)
    assert "ended after 6 epochs: at its pace" in capsys.readouterr().out


def test_threads_that_wait_do_not_spin() -> None:
    asked = "import models_ml, os; print(os.environ['OMP_WAIT_POLICY'])"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "PASSIVE"


def test_nothing_is_learned_from_events_after_the_cut(
    changed_town: ChangedTown, trained: Path, tmp_path: Path
) -> None:
    def change(choices: Choices) -> None:
        for events in choices.values():
            events[:] = [
                (place, minute) if minute < TOWN_CUT else (f"new{minute % 3}", minute + 1)
                for place, minute in events
            ]

    train(changed_town(change), tmp_path / "out", "tiny")
    assert same_weights(tmp_path / "out", trained)


def test_nothing_is_learned_from_anyones_last_event(
    changed_town: ChangedTown, trained: Path, tmp_path: Path
) -> None:
    def change(choices: Choices) -> None:
        for events in choices.values():
            events[-1:] = [("new", minute) for _, minute in events[-1:]]

    train(changed_town(change), tmp_path / "out", "tiny")
    assert same_weights(tmp_path / "out", trained)


def test_a_change_before_the_cut_is_learned(
    changed_town: ChangedTown, trained: Path, tmp_path: Path
) -> None:
    def change(choices: Choices) -> None:
        choices["u00"][0] = ("d2", choices["u00"][0][1])

    train(changed_town(change), tmp_path / "out", "tiny")
    assert not same_weights(tmp_path / "out", trained)


@pytest.mark.slow
@pytest.mark.parametrize("step", [2, 6])
def test_a_killed_training_goes_on_as_if_never_stopped(
    town: Path, trained: Path, tmp_path: Path, step: int
) -> None:
    out = tmp_path / "killed"
    train_until_killed(town, out, step)
    assert not (out / "config.json").exists()
    train(town, out, "tiny")
    assert same_weights(out, trained)


def test_a_finished_training_is_left_alone(town: Path, trained: Path) -> None:
    before = (trained / "model.safetensors").stat().st_mtime_ns
    report = train(town, trained, "tiny")
    assert not report.is_new
    assert (trained / "model.safetensors").stat().st_mtime_ns == before


def test_a_folder_with_another_training_is_refused(town: Path, trained: Path) -> None:
    with pytest.raises(OtherRunError, match="another seed"):
        train(town, trained, "tiny", seed=7)


def test_time_that_is_up_ends_with_the_best_so_far(town: Path, tmp_path: Path) -> None:
    report = train(town, tmp_path / "out", "tiny", max_minutes=0.0)
    assert report.record.epochs == 1
    assert report.record.is_cut_short
    assert (tmp_path / "out" / "config.json").exists()


def test_a_training_that_was_cut_short_can_go_on(town: Path, tmp_path: Path) -> None:
    train(town, tmp_path / "out", "tiny", max_minutes=0.0)
    again = train(town, tmp_path / "out", "tiny", max_minutes=0.0)
    assert again.record.epochs == 1
    whole = train(town, tmp_path / "out", "tiny")
    assert whole.record.epochs > 1
    assert not whole.record.is_cut_short


def test_each_epoch_is_told_and_logged(town: Path, tmp_path: Path) -> None:
    told: list[int] = []
    report = train(town, tmp_path / "out", "tiny", progress=lambda epoch: told.append(epoch.number))
    assert told == list(range(1, report.record.epochs + 1))
    assert list((tmp_path / "out" / "logs").glob("events.out.tfevents.*"))


def test_the_model_folder_says_what_it_is(town: Path, trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text())
    manifest = json.loads((town / "manifest.json").read_text())
    assert config["kind"] == "model"
    assert config["preset"] == "tiny"
    assert config["training_set_hash"] == manifest["hash"]
    assert config["excludes_seen"] is False


def test_where_a_training_is_at_work_another_one_is_refused(town: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        FileLock(tmp_path / "out" / "training.lock"),
        pytest.raises(OtherRunError, match="another training is at work"),
    ):
        train(town, tmp_path / "out", "tiny")
    assert train(town, tmp_path / "out", "tiny").is_new


def test_a_folder_that_is_no_training_set_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingSetError, match=r"manifest\.json: no such file"):
        train(tmp_path, tmp_path / "out", "tiny")
    monkeypatch.setattr(
        sys, "argv", ["train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert main() == 1
    assert "no such file" in capsys.readouterr().err


def test_who_is_tired_of_waiting_ends_it_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stopped)
    monkeypatch.setattr(
        sys, "argv", ["train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert main() == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_an_unknown_preset_is_answered_with_those_there_are(town: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownPresetError, match=r"use one of .*tiny"):
        train(town, tmp_path / "out", "huge")


def test_a_set_without_a_lesson_is_refused(world: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(NothingToLearnError, match="no event lies before the cut"):
        train(world({"ann": [("a", 1), ("b", 2)]}, 0), tmp_path / "out", "tiny")


# Without dropout, which is drawn in each process by itself.
TRAINED_PLAINLY = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from models_ml.presets import preset_named
from models_ml.train import train
torch.set_num_threads(1)
plain = replace(preset_named("tiny"), dropout=0.0, place_dropout=0.0, candidates=8)
train(Path(sys.argv[1]), Path(sys.argv[2]), plain)
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_does(town: Path, tmp_path: Path) -> None:
    script = tmp_path / "plainly.py"
    script.write_text(TRAINED_PLAINLY)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    found = []
    for name, launcher in (("one", []), ("two", torchrun)):
        subprocess.run([sys.executable, *launcher, script, town, tmp_path / name], check=True)
        found.append(json.loads((tmp_path / name / "training.json").read_text()))
    one, two = found
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-5)
    assert two["validation"] == pytest.approx(one["validation"], abs=1e-3)
