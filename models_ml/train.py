"""Train the model on one folder.

python -m models_ml.train --data FOLDER --out FOLDER [--preset NAME] [--seed N] [--max-minutes M]
                          [--warm-start MODEL]

Runs on a bare machine, takes a GPU where there is one, and goes on from its last
checkpoint when started again with the same arguments.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from models_ml.baselines.fit import tuned_for
from models_ml.baselines.interpolation import Mixture
from models_ml.baselines.interpolation_fit import fit_mixture
from models_ml.baselines.linear_counts_fit import LinearFit, count_linear
from models_ml.baselines.tuning import Fit
from models_ml.beside import Beside
from models_ml.data.leakage import LearnedBeforeError, LearnedFrom, refuse_what_was_learned
from models_ml.data.training_set import TrainingSetError, read_training_set
from models_ml.files import hold
from models_ml.model_folder import ModelFolder, NetworkConfig, save_safetensors
from models_ml.presets import PRESETS, Preset, UnknownPresetError, preset_named
from models_ml.training.checkpoints import (
    Checkpoint,
    load_checkpoint,
    restore,
    save_checkpoint,
    state_of,
)
from models_ml.training.distributed import joined_processes
from models_ml.training.record import Epoch, Identity, TrainingRecord
from models_ml.training.run import NothingToLearnError, Training
from models_ml.training.warm_start import WarmStart, WarmStartError
from models_ml.typed_json import as_settings, json_text

NAME = "bert"
UNNAMED = "unnamed"
_SECONDS_BETWEEN_CHECKPOINTS = 30.0


class OtherRunError(ValueError):
    """The output folder holds a training with other arguments, or one that is at work."""


@dataclass(frozen=True)
class TrainingReport:
    """What a training gave: its folder, its record, and whether there was anything left to do."""

    folder: ModelFolder
    record: TrainingRecord
    is_new: bool


def train(  # noqa: PLR0913 - what a run is, and nothing more
    data: Path,
    out: Path,
    preset: str | Preset = "base",
    *,
    seed: int = 0,
    warm_start: Path | None = None,
    max_minutes: float | None = None,
    progress: Callable[[Epoch], None] | None = None,
    tuned: Path | None = None,
) -> TrainingReport:
    """Train *preset*, named or made for the purpose, on *data* and write the model folder *out*.

    A run that was stopped goes on from its last checkpoint; a run that is
    finished does nothing. On CPU the same seed gives the same weights, bit for
    bit. *max_minutes* of training, earlier runs of it included, end it with the
    best weights so far; started again with more, it goes on. Under `torchrun`
    each process learns from its share of every batch, and the first one writes.

    With a *warm_start*, a model folder, it begins with that model's weights and the shorter
    schedule of `Preset.warm`. The training sets that model has learned from must lie beside *data*.
    What tuning the baselines has found is read from the file *tuned*, or kept there.

    Raises:
        TrainingSetError: *data* is no training set.
        UnknownPresetError: no preset has the name.
        NothingToLearnError: the training part has no event.
        OtherRunError: *out* holds a training with other arguments, or another is at work there.
        WarmStartError: this training cannot begin with that model.
        LearnedBeforeError: that model may have learned what is held out now.
    """
    chosen = preset if isinstance(preset, Preset) else preset_named(preset)
    training_set = read_training_set(data)
    start = WarmStart.read(warm_start) if warm_start else None
    if start:
        chosen = chosen.warm
    identity = Identity(
        training_set_hash=training_set.hash,
        preset=preset if isinstance(preset, str) else UNNAMED,
        settings=chosen.as_text(),
        seed=str(seed),
        warm_start=start.content if start else None,
    )
    folder = ModelFolder(out)
    finished = _finished(folder, identity)
    if finished:
        return finished
    with (
        joined_processes() as processes,
        _alone(folder) if processes.is_first else nullcontext(),
        _repeatable(),
    ):
        run = Training(training_set, chosen, seed, processes, start)
        if start:
            refuse_what_was_learned(data, run.parts, start.learned_from)
        checkpoint = load_checkpoint(folder.checkpoints)
        if checkpoint:
            if checkpoint.identity != identity:
                raise OtherRunError(_other_run(folder, checkpoint.identity, identity))
            run.best = restore(checkpoint, run.modules, run.optimizer)
            run.progress = checkpoint.progress
        # Counting asks for nothing that the network learns.
        counted = Beside(lambda: _count(run, tuned)) if processes.is_first else None
        _learn(run, folder, identity, max_minutes, progress, counted)
        report = _finish(run, folder, identity, start, counted) if counted else None
        # The others wait until all is written.
        processes.of_first(0.0)
        report = report or _finished(folder, identity)
    if report is None:
        raise RuntimeError(f"{out}: the first process has written no model.")
    return report


def _learn(  # noqa: PLR0913, PLR0917 - a run, where it is kept, when it ends
    run: Training,
    folder: ModelFolder,
    identity: Identity,
    max_minutes: float | None,
    tell: Callable[[Epoch], None] | None,
    counted: "Beside[_Counted] | None",
) -> None:
    """Go through the epochs that are left."""
    state, is_first = run.progress, run.processes.is_first
    began = time.monotonic() - state.seconds
    last_saved = time.monotonic()

    def is_over() -> bool:
        """Ask the first process's clock, for all must stop at the same step."""
        if max_minutes is None:
            return False
        return bool(run.processes.of_first(time.monotonic() - began > max_minutes * 60))

    def save() -> None:
        nonlocal last_saved
        state.seconds = time.monotonic() - began
        if is_first:
            tensors = state_of(run.modules, run.optimizer, run.best)
            save_checkpoint(folder.checkpoints, Checkpoint(identity, state, tensors))
        last_saved = time.monotonic()

    def must_stop() -> bool:
        if time.monotonic() - last_saved > _SECONDS_BETWEEN_CHECKPOINTS:
            save()
        return is_over()

    with _log(folder, state.epoch) if is_first else nullcontext(_untold) as log:
        while not (run.is_done or (run.best and is_over())):
            _go_on(run, must_stop)
            epoch = _close_epoch(run, time.monotonic() - began)
            save()
            if run.is_small and run.to_beat is None:
                # The same epoch is the last one, however long the counting takes.
                run.to_beat = run.processes.of_first(counted.result().quality if counted else 0.0)
            log(epoch, state.events)
            if tell and is_first:
                tell(epoch)


def _go_on(run: Training, must_stop: Callable[[], bool]) -> None:
    """Learn from the batches that are left of the epoch, or as many as there is time for."""
    state = run.progress
    batches = run.batches(state.epoch)
    bar = tqdm(
        total=len(batches),
        initial=state.step,
        desc=f"epoch {state.epoch + 1}/{run.epochs}",
        leave=False,
        disable=not sys.stderr.isatty() or not run.processes.is_first,
    )
    with bar, closing(run.lessons(batches)) as left:
        for lessons in left:
            run.step(lessons, (state.epoch + state.step / len(batches)) / run.epochs)
            bar.update()
            if must_stop():
                break


@contextmanager
def _log(folder: ModelFolder, epoch: int) -> Iterator[Callable[[Epoch, int], None]]:
    """Keep figures for TensorBoard from *epoch* on."""
    with SummaryWriter(str(folder.logs), purge_step=epoch) as writer:

        def log(epoch: Epoch, events: int) -> None:
            writer.add_scalar("loss", epoch.loss, epoch.number)
            writer.add_scalar("validation/ndcg_10", epoch.validation_ndcg_10, epoch.number)
            writer.add_scalar("events_per_second", events / epoch.seconds, epoch.number)

        yield log


def _untold(epoch: Epoch, events: int) -> None:
    """Log nothing: the first process does."""


def _close_epoch(run: Training, seconds: float) -> Epoch:
    """Validate, keep the weights if they are the best, and turn to the next epoch."""
    run.settle()
    state = run.progress
    state.epoch += 1
    epoch = Epoch(
        number=state.epoch,
        of=run.epochs,
        loss=state.loss_sum / max(1, state.loss_count),
        validation_ndcg_10=run.processes.of_first(
            run.validate() if run.processes.is_first else 0.0
        ),
        seconds=seconds,
    )
    if epoch.validation_ndcg_10 > state.best_ndcg:
        state.best_ndcg, state.best_epoch = epoch.validation_ndcg_10, state.epoch
        run.best = {name: value.clone() for name, value in run.answering.state_dict().items()}
    state.epochs.append(epoch)
    state.step, state.loss_sum, state.loss_count = 0, 0.0, 0
    return epoch


@dataclass(frozen=True)
class _Counted:
    """What may answer beside the network, and its NDCG@10 on the events that validate."""

    fit: Fit
    counts: LinearFit | None = None
    quality: float = 0.0


def _count(run: Training, tuned: Path | None) -> _Counted:
    """Count what may answer beside the network, if the preset asks for that and it can be tuned."""
    fit = Fit(run.data)
    if not (run.preset.counts and fit.can_tune):
        return _Counted(fit)
    counts = count_linear(fit, tuned_for(fit, tuned))
    return _Counted(fit, counts, run.validated(fit.linear(counts.learned).score_events))


def _finish(
    run: Training,
    folder: ModelFolder,
    identity: Identity,
    start: WarmStart | None,
    counted: Beside[_Counted],
) -> TrainingReport:
    """Write the model folder; ``config.json`` last, for it says that all is there."""
    run.network.load_state_dict(run.best)
    with tqdm(
        desc="counting what answers beside the network", bar_format="{desc}", leave=False,
        disable=not sys.stderr.isatty(),
    ):  # fmt: skip
        found = counted.result()
        mixture = fit_mixture(found.fit, found.counts, run.scores) if found.counts else None
    beside = found.fit.taste.tensors | (mixture.tensors if mixture else {})
    tensors = {name: value.cpu().contiguous() for name, value in run.best.items()}
    tensors |= {name: torch.from_numpy(value).contiguous() for name, value in beside.items()}
    save_safetensors(tensors, folder.weights, {})
    run.vocabulary.write(folder)
    record = _record(run, folder, identity, start, mixture)
    folder.training.write_text(json_text(record))
    config = NetworkConfig(
        kind="model",
        name=NAME,
        architecture=as_settings(run.architecture),
        preset=identity.preset,
        seed=run.seed,
        training_set_hash=run.data.hash,
        excludes_seen=run.excludes_seen,
        counts=record.counts,
    )
    folder.config.write_text(json_text(config))
    return TrainingReport(folder, record, is_new=True)


def _record(
    run: Training,
    folder: ModelFolder,
    identity: Identity,
    start: WarmStart | None,
    mixture: Mixture | None,
) -> TrainingRecord:
    state = run.progress
    return TrainingRecord(
        out=folder.name,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        validation_ndcg_10=state.best_ndcg,
        loss=state.epochs[-1].loss,
        seconds=state.seconds,
        events_per_second=state.events / state.seconds,
        parameters=sum(parameter.numel() for parameter in run.network.parameters()),
        device=str(run.device),
        is_cut_short=not run.is_done,
        identity=identity,
        torch=torch.__version__,
        warm_start=start.folder.name if start else None,
        learned_from=[
            *(start.learned_from if start else ()),
            LearnedFrom.of(run.data, run.parts),
        ],
        counts=mixture.settings if mixture else None,
        beaten_by=run.to_beat if run.is_hopeless else None,
        losses=[epoch.loss for epoch in state.epochs],
        validation=[epoch.validation_ndcg_10 for epoch in state.epochs],
    )


def _finished(folder: ModelFolder, identity: Identity) -> TrainingReport | None:
    record = TrainingRecord.read(folder) if folder.is_finished else None
    if record is None or (record.identity == identity and record.is_cut_short):
        return None
    if record.identity != identity:
        raise OtherRunError(_other_run(folder, record.identity, identity))
    return TrainingReport(folder, record, is_new=False)


def _other_run(folder: ModelFolder, there: Identity, wanted: Identity) -> str:
    settings = {field.name: getattr(there, field.name) for field in fields(there)}
    different = [name for name in sorted(settings) if settings[name] != getattr(wanted, name)]
    return (
        f"{folder.path}: holds a training with another {' and '.join(different)} "
        f"({', '.join(str(settings[name]) for name in different)}). "
        "Give the old arguments to go on with it, or another --out."
    )


def _alone(folder: ModelFolder) -> AbstractContextManager[None]:
    """Keep other trainings out of *folder*: each would overwrite the other's checkpoints."""
    busy = OtherRunError(
        f"{folder.path}: another training is at work here. Wait for it, end it, or give another "
        "--out."
    )
    return hold(folder.lock, busy)


@contextmanager
def _repeatable() -> Iterator[None]:
    """Ask torch for the repeatable variant of everything while a training runs on CPU."""
    before = torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(not torch.cuda.is_available())
    # It would also fill all memory before it is written to, which nothing here reads before.
    torch.utils.deterministic.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.utils.deterministic.fill_uninitialized_memory = filled


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models_ml.train", description=train.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a training set folder")
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--preset", default="base", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--warm-start", type=Path, help="begin with the weights of this model folder"
    )
    parser.add_argument("--max-minutes", type=float, help="stop then with the best so far")
    arguments = parser.parse_args()

    def tell(epoch: Epoch) -> None:
        print(  # noqa: T201 - the command's own output
            f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.4f}  "
            f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}  {epoch.seconds:.0f} s  "
            f"{epoch.time_left}".rstrip(),
            flush=True,
        )

    try:
        report = train(
            arguments.data,
            arguments.out,
            preset=arguments.preset,
            seed=arguments.seed,
            warm_start=arguments.warm_start,
            max_minutes=arguments.max_minutes,
            progress=tell,
        )
    except (
        TrainingSetError, UnknownPresetError, OtherRunError, NothingToLearnError,
        WarmStartError, LearnedBeforeError,
    ) as error:  # fmt: skip
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    except KeyboardInterrupt:
        print(  # noqa: T201 - the command's own output
            "Stopped. What is done is kept; the same command goes on.", file=sys.stderr
        )
        return 130
    verb = "trained" if report.is_new else "already trained, nothing to do"
    record = report.record
    if report.is_new and record.why_early:
        print(record.why_early)  # noqa: T201 - the command's own output
    print(  # noqa: T201 - the command's own output
        f"{report.folder.path}: {verb}; best epoch {record.best_epoch} of {record.epochs}, "
        f"validation NDCG@10 {record.validation_ndcg_10:.4f}, {record.seconds:.0f} s on "
        f"{record.device}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
