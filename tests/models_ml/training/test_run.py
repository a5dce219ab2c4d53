"""Steps of a training: laid out from their number alone, and told once."""

from pathlib import Path

import pytest
import torch

from models_ml.data.tensors import moved
from models_ml.data.training_set import read_training_set
from models_ml.presets import preset_named
from models_ml.training.batches import Lessons
from models_ml.training.distributed import Processes
from models_ml.training.record import Epoch
from models_ml.training.run import Training


def training(town: Path) -> Training:
    return Training(read_training_set(town), preset_named("tiny"), 0)


def same(one: Lessons, other: Lessons) -> bool:
    return (
        torch.equal(one.batch.places, other.batch.places)
        and torch.equal(one.targets, other.targets)
        and torch.equal(one.at, other.at)
        and (one.count, one.total, one.seed) == (other.count, other.total, other.seed)
    )


def test_what_is_left_of_an_epoch_is_what_it_would_have_been(town: Path) -> None:
    run = training(town)
    batches = run.batches(0)
    whole = list(run.lessons(batches))
    run.progress.step = 1
    left = list(run.lessons(batches))
    assert len(left) == len(whole) - 1
    assert all(same(one, other) for one, other in zip(left, whole[1:], strict=True))
    assert not same(run.lay_out(batches[0], epoch=1, step=0), whole[0])


@pytest.mark.parametrize("count", [2, 3, 50])
def test_processes_share_the_lessons_of_a_step(town: Path, count: int) -> None:
    run = training(town)
    windows = run.batches(0)[0]
    whole = run.lay_out(windows, epoch=0, step=0)
    shares = []
    for rank in range(count):
        run.processes = Processes(rank, count)
        shares.append(run.lay_out(windows, epoch=0, step=0))
    assert {share.total for share in shares} == {whole.total} == {whole.count}
    assert sum(share.count for share in shares) == whole.count
    # Where there are more processes than windows, the last one reads, and learns nothing.
    assert (shares[-1].count == 0) == (count > len(windows.starts))
    assert len({share.seed for share in shares}) == count


def test_a_process_without_lessons_changes_nothing(town: Path) -> None:
    run = training(town)
    lessons = run.lay_out(run.batches(0)[0], epoch=0, step=0)
    idle = Lessons(
        batch=lessons.batch,
        targets=torch.zeros_like(lessons.targets),
        at=lessons.at[:0],
        candidates=lessons.candidates,
        count=0,
        total=lessons.total,
        seed=1,
    )
    loss = run.loss(idle)
    assert loss.item() == 0
    loss.backward()
    # All processes add up the same gradients, so none may be missing.
    assert not any(parameter.grad.any() for parameter in run.network.parameters())


def test_losses_are_told_once_however_often_they_are_settled(town: Path) -> None:
    run = training(town)
    windows = run.batches(0)[0]
    lessons = run.lay_out(windows, epoch=0, step=0)
    with torch.no_grad():
        run.network.train()
        expected = run.loss(lessons).item() * lessons.count
    run.step(lessons, 0.5)
    run.settle()
    assert run.progress.loss_sum == pytest.approx(expected, rel=1e-6)
    assert run.progress.loss_count == run.progress.events == lessons.count
    assert run.progress.step == 1


def test_the_mean_of_the_weights_has_no_copy_of_what_is_no_weight(town: Path) -> None:
    run = training(town)
    assert run.averaged is not None
    own, mean = run.network, run.averaged.module
    assert mean.place_categories is own.place_categories
    assert mean.encoder.embeddings.position_ids is own.encoder.embeddings.position_ids
    assert mean.bias is not own.bias


def test_a_record_that_is_moved_keeps_what_is_no_tensor(town: Path) -> None:
    run = training(town)
    lessons = run.lay_out(run.batches(0)[0], epoch=0, step=0)
    there = moved(lessons, torch.device("meta"))
    assert there.batch.places.device.type == there.targets.device.type == "meta"
    assert there.batch.packing is None
    assert there.total == lessons.total


@pytest.mark.parametrize(
    ("validation", "is_hopeless"),
    [
        ([0.01] * 5, False),  # too few epochs to tell
        ([0.01, 0.02, 0.03, 0.04, 0.05, 0.06], False),  # .01 more in each of ten epochs: .16
        ([0.01, 0.011, 0.012, 0.013, 0.014, 0.015], True),  # .025
        ([0.16, 0.01, 0.01, 0.01, 0.01, 0.01], False),  # what was reached is kept
        ([0.01] * 16, False),  # all epochs are over, and none was cut
    ],
)
def test_a_network_that_learns_too_slowly_is_given_up(
    town: Path, validation: list[float], *, is_hopeless: bool
) -> None:
    run = training(town)
    run.epochs = 16
    is_over = len(validation) == run.epochs
    run.progress.epoch = run.progress.best_epoch = len(validation)
    run.progress.epochs = [
        Epoch(nth, run.epochs, 1.0, value, 1.0) for nth, value in enumerate(validation, 1)
    ]
    assert run.is_done == is_over  # nobody has told what there is to beat
    run.to_beat = 0.15
    assert (run.is_hopeless, run.is_done) == (is_hopeless, is_hopeless or is_over)


def test_time_left_is_told_of_the_pace_so_far() -> None:
    told = [Epoch(number, 60, 1.0, 0.1, number * 6.0).time_left for number in (10, 50, 60)]
    assert told == ["at most 5 min left", "at most 60 s left", ""]
