"""Train the model on one folder.

python -m models_ml.train --data FOLDER --out FOLDER [--preset NAME] [--seed N] [--max-minutes M]

Runs on a bare machine, takes a GPU where there is one, and goes on from its last
checkpoint when started again with the same arguments.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from models_ml.checkpoints import (
    Checkpoint,
    Progress,
    load_checkpoint,
    restore,
    save_checkpoint,
    save_safetensors,
    state_of,
)
from models_ml.config import PRESETS, Preset, UnknownPresetError, preset_named
from models_ml.lessons import Windows, batches_of, lesson_batch, question_batches, windows_of
from models_ml.metrics import gains, worst_ranks
from models_ml.network import Architecture, Network
from models_ml.split import (
    Split,
    excludes_seen,
    known_events,
    known_offsets,
    learned_events,
    split,
)
from models_ml.taste import Taste, fit_taste
from models_ml.tokens import SPECIAL_TOKENS, EventTokens, Vocabulary
from models_ml.training_set import TrainingSet, TrainingSetError, read_training_set

NAME = "bert"
_VALIDATION_SAMPLE = 4000
_CLIP = 1.0
_SECONDS_BETWEEN_CHECKPOINTS = 30.0


class OtherRunError(ValueError):
    """The output folder holds a training with other arguments."""


class NothingToLearnError(ValueError):
    """The training part has no event."""


@dataclass(frozen=True)
class TrainingReport:
    """What a training gave.

    ``is_new`` is false where there was nothing left to do, ``is_cut_short`` is true where time
    was up before the training had run its course.
    """

    out: Path
    is_new: bool
    epochs: int
    best_epoch: int
    validation_ndcg_10: float
    loss: float
    seconds: float
    events_per_second: float
    parameters: int
    device: str
    is_cut_short: bool


@dataclass(frozen=True)
class Epoch:
    """What is told after each epoch."""

    number: int
    of: int
    loss: float
    validation_ndcg_10: float
    seconds: float


class _Training:
    """One run: what it learns from, what it has learned, and where it stands."""

    def __init__(self, data: TrainingSet, preset: Preset, seed: int) -> None:
        self.data, self.preset, self.seed = data, preset, seed
        self.parts: Split = split(data)
        learned = learned_events(data, self.parts)
        if len(learned) == 0:
            raise NothingToLearnError(
                f"training set {data.hash[:16]}: no event lies before the cut and before its "
                "user's last two. Ingest more history, or move the cut."
            )
        self.vocabulary = Vocabulary.build(data, known_events(data, self.parts))
        self.excludes_seen = excludes_seen(data, self.parts)
        self.events: EventTokens = self.vocabulary.encode_training_set(data)
        self.epochs = max(1, min(preset.epochs, preset.max_events // len(learned)))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(seed)
        self.network = Network(self.architecture, self.vocabulary).to(self.device)
        self.averaged = _average(self.network, preset.averaging) if preset.averaging else None
        self.optimizer = _optimizer(self.network, preset)
        self.best: dict[str, Tensor] = {}
        self.progress = Progress()

    @property
    def architecture(self) -> Architecture:
        preset = self.preset
        return Architecture(
            hidden_size=preset.hidden_size,
            layers=preset.layers,
            heads=preset.heads,
            dropout=preset.dropout,
            place_dropout=preset.place_dropout,
            has_times=not self.data.is_time_synthetic and "times" in preset.parts,
            has_pointer=not self.excludes_seen and "pointer" in preset.parts,
            has_surroundings="surroundings" in preset.parts,
        )

    @property
    def modules(self) -> dict[str, torch.nn.Module]:
        """All that a checkpoint holds the weights of."""
        return {"network": self.network} | ({"averaged": self.averaged} if self.averaged else {})

    @property
    def answering(self) -> Network:
        """The network whose weights are validated and kept."""
        return self.averaged.module if self.averaged else self.network

    @property
    def is_done(self) -> bool:
        """Whether all epochs are over, or the last ones brought nothing better."""
        state = self.progress
        return state.epoch >= self.epochs or state.epoch - state.best_epoch >= self.preset.patience

    def batches(self, epoch: int) -> list[Windows]:
        """The batches of an epoch: a function of seed and epoch alone."""
        generator = np.random.default_rng([self.seed, epoch])
        windows = windows_of(self.data, self.parts, generator)
        return batches_of(windows, self.preset.events_per_batch, generator)

    def step(self, windows: Windows, share_done: float) -> tuple[float, int]:
        """Learn from one batch; return the sum of its losses and how many lessons it held."""
        batch, targets = lesson_batch(self.events, windows, has_times=self.architecture.has_times)
        lessons = int((targets > 0).sum())
        for group in self.optimizer.param_groups:
            group["lr"] = self.preset.learning_rate * _schedule(share_done, self.preset)
        self.network.train()
        with _precision(self.device):
            loss = self.network.loss(
                batch.to(self.device), targets.to(self.device), self.preset.candidates
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimizer.step()
        if self.averaged:
            self.averaged.update_parameters(self.network)
        return loss.item() * lessons, lessons

    def validate(self) -> float:
        """NDCG@10 on a fixed sample of the validation targets."""
        targets = self.parts.validation_targets
        if len(targets) > _VALIDATION_SAMPLE:
            chosen = np.random.default_rng(self.seed).choice(
                len(targets), _VALIDATION_SAMPLE, replace=False
            )
            targets = targets[np.sort(chosen)]
        if len(targets) == 0:
            return 0.0
        begins = self.data.offsets[self.data.event_users[targets]]
        found = np.zeros(len(targets))
        for rows, scores in self._answers(begins, targets):
            wanted = self.events.places[targets[rows]] - SPECIAL_TOKENS
            found[rows] = gains(worst_ranks(scores, wanted))
        return float(found.mean())

    def _answers(
        self, begins: NDArray[np.int64], targets: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        network = self.answering.eval()
        questions = question_batches(
            self.events, begins, targets, has_times=self.architecture.has_times
        )
        for rows, batch in questions:
            with torch.inference_mode(), _precision(self.device):
                scores = network.score(batch.to(self.device)).float().cpu().numpy()
            if self.excludes_seen:
                for row, target in enumerate(rows):
                    seen = self.events.places[begins[target] : targets[target]] - SPECIAL_TOKENS
                    scores[row, seen[(seen >= 0) & (seen < len(self.vocabulary))]] = -np.inf
            yield rows, scores


def train(  # noqa: PLR0913 - what a run is, and nothing more
    data: Path,
    out: Path,
    preset: str = "base",
    *,
    seed: int = 0,
    max_minutes: float | None = None,
    progress: Callable[[Epoch], None] | None = None,
) -> TrainingReport:
    """Train *preset* on the training set *data* and write the model folder *out*.

    A run that was stopped goes on from its last checkpoint; a run that is
    finished does nothing. On CPU the same seed gives the same weights, bit for
    bit. *max_minutes* of training, earlier runs of it included, end it with the
    best weights so far; started again with more, it goes on.
    """
    chosen = preset_named(preset)
    training_set = read_training_set(data)
    identity = {
        "training_set_hash": training_set.hash,
        "preset": preset,
        "settings": chosen.as_text(),
        "seed": str(seed),
    }
    finished = _finished(out, identity)
    if finished:
        return finished
    with _repeatable():
        run = _Training(training_set, chosen, seed)
        checkpoint = load_checkpoint(out / "checkpoints")
        if checkpoint:
            if checkpoint.identity != identity:
                raise OtherRunError(_other_run(out, checkpoint.identity, identity))
            run.best = restore(checkpoint, run.modules, run.optimizer)
            run.progress = checkpoint.progress
        _learn(run, out, identity, max_minutes, progress)
        return _finish(run, out, identity)


def _learn(
    run: _Training,
    out: Path,
    identity: dict[str, str],
    max_minutes: float | None,
    tell: Callable[[Epoch], None] | None,
) -> None:
    """Go through the epochs that are left."""
    state = run.progress
    deadline = math.inf if max_minutes is None else max_minutes * 60
    began = time.monotonic() - state.seconds
    last_saved = time.monotonic()

    def save() -> None:
        state.seconds = time.monotonic() - began
        tensors = state_of(run.modules, run.optimizer, run.best)
        save_checkpoint(out / "checkpoints", Checkpoint(identity, state, tensors))

    with SummaryWriter(str(out / "logs"), purge_step=state.epoch) as log:
        while not (run.is_done or (run.best and state.seconds > deadline)):
            batches = run.batches(state.epoch)
            bar = tqdm(
                batches[state.step :],
                desc=f"epoch {state.epoch + 1}/{run.epochs}",
                leave=False,
                disable=not sys.stderr.isatty(),
            )
            for windows in bar:
                share = (state.epoch + state.step / len(batches)) / run.epochs
                loss_sum, lessons = run.step(windows, share)
                state.loss_sum += loss_sum
                state.loss_count += lessons
                state.events += lessons
                state.step += 1
                if time.monotonic() - began > deadline:
                    break
                if time.monotonic() - last_saved > _SECONDS_BETWEEN_CHECKPOINTS:
                    save()
                    last_saved = time.monotonic()
            epoch = _close_epoch(run, time.monotonic() - began)
            log.add_scalar("loss", epoch.loss, epoch.number)
            log.add_scalar("validation/ndcg_10", epoch.validation_ndcg_10, epoch.number)
            log.add_scalar("events_per_second", state.events / epoch.seconds, epoch.number)
            save()
            last_saved = time.monotonic()
            if tell:
                tell(epoch)


def _close_epoch(run: _Training, seconds: float) -> Epoch:
    """Validate, keep the weights if they are the best, and turn to the next epoch."""
    state = run.progress
    state.epoch += 1
    epoch = Epoch(
        number=state.epoch,
        of=run.epochs,
        loss=state.loss_sum / max(1, state.loss_count),
        validation_ndcg_10=run.validate(),
        seconds=seconds,
    )
    if epoch.validation_ndcg_10 > state.best_ndcg:
        state.best_ndcg, state.best_epoch = epoch.validation_ndcg_10, state.epoch
        run.best = {name: value.clone() for name, value in run.answering.state_dict().items()}
    state.epochs.append(asdict(epoch))
    state.step, state.loss_sum, state.loss_count = 0, 0.0, 0
    return epoch


def _finish(run: _Training, out: Path, identity: dict[str, str]) -> TrainingReport:
    """Write the model folder; ``config.json`` last, for it says that all is there."""
    run.network.load_state_dict(run.best)
    state = run.progress
    taste = _taste(run)
    tensors = {name: value.cpu().contiguous() for name, value in run.best.items()}
    tensors |= {f"taste.{name}": torch.from_numpy(value) for name, value in vars(taste).items()}
    save_safetensors(tensors, out / "model.safetensors", {})
    run.vocabulary.write(out)
    report = TrainingReport(
        out=out,
        is_new=True,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        validation_ndcg_10=state.best_ndcg,
        loss=state.epochs[-1]["loss"],
        seconds=state.seconds,
        events_per_second=state.events / state.seconds,
        parameters=sum(parameter.numel() for parameter in run.network.parameters()),
        device=str(run.device),
        is_cut_short=not run.is_done,
    )
    training = asdict(report) | {
        "out": out.name,
        "identity": identity,
        "losses": [epoch["loss"] for epoch in state.epochs],
        "validation": [epoch["validation_ndcg_10"] for epoch in state.epochs],
        "torch": torch.__version__,
    }
    (out / "training.json").write_text(json.dumps(training, indent=2) + "\n")
    config = {
        "kind": "model",
        "name": NAME,
        "architecture": asdict(run.architecture),
        "preset": identity["preset"],
        "seed": run.seed,
        "training_set_hash": run.data.hash,
        "excludes_seen": run.excludes_seen,
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return report


def _taste(run: _Training) -> Taste:
    """Fit the user vector on the training part's histories."""
    events = replace(run.events, places=run.events.places[known_events(run.data, run.parts)])
    offsets = known_offsets(run.data, run.parts)
    return fit_taste(events, offsets, len(run.vocabulary), run.seed)


def _finished(out: Path, identity: dict[str, str]) -> TrainingReport | None:
    if not (out / "config.json").exists() or not (out / "training.json").exists():
        return None
    training = json.loads((out / "training.json").read_text())
    if training["identity"] == identity and training["is_cut_short"]:
        return None
    if training["identity"] != identity:
        raise OtherRunError(_other_run(out, training["identity"], identity))
    fields = {name: training[name] for name in TrainingReport.__dataclass_fields__}
    return TrainingReport(**fields | {"out": out, "is_new": False})


def _other_run(out: Path, there: dict[str, str], wanted: dict[str, str]) -> str:
    different = [name for name in wanted if there.get(name) != wanted[name]]
    return (
        f"{out}: holds a training with another {' and '.join(different)} "
        f"({', '.join(str(there.get(name)) for name in different)}). "
        "Give the old arguments to go on with it, or another --out."
    )


def _optimizer(network: Network, preset: Preset) -> torch.optim.Optimizer:
    """AdamW; weights decay, biases and norms do not."""
    decaying = [value for value in network.parameters() if value.dim() > 1]
    others = [value for value in network.parameters() if value.dim() <= 1]
    return torch.optim.AdamW(
        [
            {"params": decaying, "weight_decay": preset.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=preset.learning_rate,
        fused=True,
    )


def _average(network: Network, kept: float) -> AveragedModel:
    """Keep a running mean of the weights, shorter while there are few steps to take it over."""

    def update(means: list[Tensor], values: list[Tensor], steps: Tensor) -> None:
        share = min(kept, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(means, values, 1 - share)

    return AveragedModel(network, multi_avg_fn=update)


def _schedule(share_done: float, preset: Preset) -> float:
    """Rise to 1, then fall along a cosine to a tenth."""
    warm_up = preset.warm_up_share
    if share_done < warm_up:
        return (share_done + 1e-3) / (warm_up + 1e-3)
    fallen = (share_done - warm_up) / (1 - warm_up)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * fallen))


def _precision(device: torch.device) -> AbstractContextManager[object]:
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def _repeatable() -> Iterator[None]:
    """Ask torch for the repeatable variant of everything while a training runs on CPU."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(not torch.cuda.is_available())
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models_ml.train", description=train.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a training set folder")
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--preset", default="base", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-minutes", type=float, help="stop then with the best so far")
    arguments = parser.parse_args()

    def tell(epoch: Epoch) -> None:
        print(  # noqa: T201 - the command's own output
            f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.4f}  "
            f"validation NDCG@10 {epoch.validation_ndcg_10:.4f}  {epoch.seconds:.0f} s",
            flush=True,
        )

    try:
        report = train(
            arguments.data,
            arguments.out,
            preset=arguments.preset,
            seed=arguments.seed,
            max_minutes=arguments.max_minutes,
            progress=tell,
        )
    except (TrainingSetError, UnknownPresetError, OtherRunError, NothingToLearnError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 1
    verb = "trained" if report.is_new else "already trained, nothing to do"
    print(  # noqa: T201 - the command's own output
        f"{report.out}: {verb}; best epoch {report.best_epoch} of {report.epochs}, validation "
        f"NDCG@10 {report.validation_ndcg_10:.4f}, {report.seconds:.0f} s on {report.device}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
