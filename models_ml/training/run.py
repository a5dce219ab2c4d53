"""One training: what it learns from, how it validates, early stopping, and where it stands."""

from collections.abc import Callable, Generator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models_ml.data.event_windows import EventWindows
from models_ml.data.split import Split, excludes_seen, known_events, learned_events, split
from models_ml.data.tensors import moved, pinned
from models_ml.data.tokens import (
    MAX_EVENTS,
    SPECIAL_TOKENS,
    EventTokens,
    Vocabulary,
    collate,
)
from models_ml.data.training_set import TrainingSet
from models_ml.metrics import gains, worst_ranks
from models_ml.network.architecture import Architecture
from models_ml.network.bert import Network
from models_ml.network.inference import Scorer
from models_ml.network.loss import draw_candidates
from models_ml.network.score_windows import score_windows
from models_ml.presets import SMALL_SET, Preset
from models_ml.training.batches import (
    WINDOW,
    Lessons,
    Windows,
    batches_of,
    lesson_batch,
    packed,
    windows_of,
)
from models_ml.training.checkpoints import Progress
from models_ml.training.devices import compile_where_it_works, packs, precision, works
from models_ml.training.distributed import Processes
from models_ml.training.optimizer import average_of, optimizer_of, rate_at
from models_ml.training.prefetch import ahead
from models_ml.training.warm_start import WarmStart

_VALIDATION_SAMPLE = 4000
_VALIDATED_AT_ONCE = 512
_CLIP = 1.0
_LAYING_OUT = 2
_STEPS_UNTOLD = 64
_PACE = 3
"""So many epochs at least tell how fast the network is learning."""
_TOLD_BY = 0.4
"""This share of the epochs tells what the others will bring."""


class NothingToLearnError(ValueError):
    """The training part has no event."""


class Training:
    """One run: what it learns from, what it has learned, and where it stands."""

    def __init__(
        self,
        data: TrainingSet,
        preset: Preset,
        seed: int,
        processes: Processes | None = None,
        start: WarmStart | None = None,
    ) -> None:
        """Build the network with fresh weights, or those of *start*, the same in each process."""
        self.processes = processes or Processes()
        self.data, self.preset, self.seed = data, preset, seed
        self.parts: Split = split(data)
        learned = learned_events(data, self.parts)
        if len(learned) == 0:
            raise NothingToLearnError(
                f"training set {data.hash[:16]}: no event lies before the cut. Ingest more "
                "history, or move the cut."
            )
        self.vocabulary = Vocabulary.build(data, known_events(data, self.parts))
        self.excludes_seen = excludes_seen(data, self.parts)
        self.events: EventTokens = self.vocabulary.encode_training_set(data)
        self.epochs = max(1, min(preset.epochs, preset.max_events // len(learned)))
        self.device = self.processes.device
        torch.manual_seed(seed)
        self.network = Network(self.architecture, self.vocabulary).to(self.device)
        if start:
            start.put_into(self.network, self.vocabulary)
        self.averaged = average_of(self.network, preset.averaging) if preset.averaging else None
        self._packs = packs(self.device)
        self._packs = self._packs and works("packing", self._try_encoder)
        self.is_compiled = self.device.type == "cuda" and compile_where_it_works(
            self.network.encoder, self._try_encoder
        )
        self.optimizer = optimizer_of(self.network, preset)
        self._popular = self.network.popular.cpu()
        self._untold = torch.zeros((), dtype=torch.float64, device=self.device)
        self._untold_count = 0
        self.best: dict[str, Tensor] = {}
        self.progress = Progress()
        self.to_beat: float | None = None
        """What counting reaches on the events that validate, where that is asked for."""

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
            pre_norm=preset.pre_norm,
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
        """Whether all epochs are over, the last ones brought nothing better, or none will help."""
        state = self.progress
        is_stuck = state.epoch - state.best_epoch >= self.preset.patience
        return state.epoch >= self.epochs or is_stuck or self.is_hopeless

    @property
    def is_small(self) -> bool:
        """Whether there is so little to learn that counting may well be ahead."""
        return len(self.data.places) <= SMALL_SET

    @property
    def is_hopeless(self) -> bool:
        """Whether the network, at the pace of its last epochs, would not reach `to_beat`.

        Asked when a part of the epochs is over: before, a network may stand still for a while and
        learn fast afterwards. From then on learning slows down, so that a straight line promises
        more than will come.
        """
        told = [epoch.validation_ndcg_10 for epoch in self.progress.epochs]
        asked_from = max(_PACE + 1, round(self.epochs * _TOLD_BY))
        if self.to_beat is None or not asked_from <= len(told) < self.epochs:
            return False
        lately = max(_PACE, asked_from // 2)
        pace = (max(told) - max(told[:-lately])) / lately
        return max(told) + pace * (self.epochs - len(told)) < self.to_beat

    def batches(self, epoch: int) -> list[Windows]:
        """The batches of an epoch: a function of seed and epoch alone."""
        generator = np.random.default_rng([self.seed, epoch])
        windows = windows_of(self.data, self.parts, generator)
        return batches_of(windows, self.preset.events_per_batch, generator)

    def lessons(self, batches: Sequence[Windows]) -> Generator[Lessons, None, None]:
        """Lay out the steps that are left of an epoch, given all its *batches*, in their order.

        For a GPU they are laid out in advance, in memory that it reads by itself. On CPU that
        would only take time from the cores that learn.
        """
        state = self.progress
        epoch, steps = state.epoch, range(state.step, len(batches))
        if self.device.type == "cpu":
            return (self.lay_out(batches[step], epoch, step) for step in steps)
        return ahead(
            lambda step: pinned(self.lay_out(batches[step], epoch, step)),
            steps,
            threads=_LAYING_OUT,
            depth=2 * _LAYING_OUT,
            begin=lambda: torch.cuda.set_device(self.device),
        )

    def lay_out(self, windows: Windows, epoch: int, step: int) -> Lessons:
        """Lay out this process's share of a batch, and what all of them are weighed against.

        What is random depends on the step alone, so that a training goes on from anywhere.
        """
        here = [self.seed, epoch, step]
        mine = self.processes.share(windows)
        is_idle = len(mine.starts) == 0
        batch, targets = lesson_batch(
            self.events,
            windows.take(np.arange(1)) if is_idle else mine,
            has_times=self.architecture.has_times,
        )
        targets = torch.zeros_like(targets) if is_idle else targets
        lessons = targets.flatten().nonzero().squeeze(1)
        return Lessons(
            batch=packed(batch) if self._packs else batch,
            targets=targets,
            at=lessons,
            candidates=draw_candidates(
                self.network.size,
                self.preset.candidates,
                self._popular,
                np.random.default_rng(here),
            ),
            count=len(lessons),
            total=int((windows.stops - windows.firsts).sum()),
            seed=_number([*here, self.processes.rank]),
        )

    def step(self, lessons: Lessons, share_done: float) -> None:
        """Learn from one batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.preset.learning_rate * rate_at(share_done, self.preset)
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(moved(lessons, self.device))
        # The sum of the processes' gradients is then that of the mean over all lessons.
        (loss * (lessons.count / max(1, lessons.total))).backward()
        self.processes.sum_gradients(self.network)
        self._update()
        self._tell(loss.detach().double() * lessons.count, lessons.total)

    def loss(self, lessons: Lessons) -> Tensor:
        """Return the mean loss of *lessons* that lie on this training's device."""
        torch.manual_seed(lessons.seed)
        with precision(self.device):
            loss: Tensor = self.network(
                lessons.batch, lessons.targets, lessons.candidates, lessons.at
            )
        return loss

    def settle(self) -> None:
        """Add to the progress what the losses since the last time come to, in all processes."""
        (loss_sum,) = self.processes.summed(self._untold.item())
        self.progress.loss_sum += loss_sum
        self.progress.loss_count += self._untold_count
        self._untold, self._untold_count = torch.zeros_like(self._untold), 0

    def _try_encoder(self) -> None:
        """Run the encoder forward and backward, on sequences as long as there are."""
        length = min(WINDOW - 1, len(self.events.places))
        starts = np.zeros(2, dtype=np.int64)
        batch = collate(self.events, starts, starts + length, has_times=self.architecture.has_times)
        batch = moved(packed(batch) if self._packs else batch, self.device)
        with precision(self.device):
            hidden, _ = self.network.encode(batch, self.network.place_table())
        hidden.float().square().mean().backward()
        self.network.zero_grad(set_to_none=True)

    def _update(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimizer.step()
        if self.averaged:
            self.averaged.update_parameters(self.network)

    def _tell(self, loss_sum: Tensor, count: int) -> None:
        state = self.progress
        state.events += count
        state.step += 1
        self._untold += loss_sum
        self._untold_count += count
        # To read a number, the processor waits until the GPU has caught up.
        if self.device.type == "cpu" or state.step % _STEPS_UNTOLD == 0:
            self.settle()

    @property
    def validated_targets(self) -> NDArray[np.int64]:
        """The validation targets, or a fixed sample of them."""
        targets = self.parts.validation_targets
        if len(targets) > _VALIDATION_SAMPLE:
            chosen = np.random.default_rng(self.seed).choice(
                len(targets), _VALIDATION_SAMPLE, replace=False
            )
            targets = targets[np.sort(chosen)]
        return targets

    def validate(self) -> float:
        """NDCG@10 of the network on `validated_targets`."""
        scorer = Scorer(self.answering)
        return self.validated(lambda windows: self._scored(scorer, windows))

    def validated(self, scored: Callable[[EventWindows], NDArray[np.float32]]) -> float:
        """NDCG@10 on `validated_targets` of whatever scores every place after windows, (B, P)."""
        targets = self.validated_targets
        if len(targets) == 0:
            return 0.0
        begins = self.data.offsets[self.data.event_users[targets]]
        starts = np.maximum(begins, targets - MAX_EVENTS)
        gained = []
        for first in range(0, len(targets), _VALIDATED_AT_ONCE):
            part = slice(first, first + _VALIDATED_AT_ONCE)
            scores = scored(EventWindows(self.events, starts[part], targets[part]))
            if self.excludes_seen:
                whole = EventWindows(self.events, begins[part], targets[part])
                scores[whole.seen(len(self.vocabulary))] = -np.inf
            wanted = self.events.places[targets[part]] - SPECIAL_TOKENS
            gained.append(gains(worst_ranks(scores, wanted)))
        return float(np.concatenate(gained).mean())

    def scores(self, windows: EventWindows) -> NDArray[np.float32]:
        """Score every place as the next after each of *windows* of the events, (B, P)."""
        return self._scored(Scorer(self.network), windows)

    def _scored(self, scorer: Scorer, windows: EventWindows) -> NDArray[np.float32]:
        with precision(self.device):
            return score_windows(
                scorer, windows, self.device, has_times=self.architecture.has_times
            )


def _number(parts: Sequence[int]) -> int:
    """Turn *parts* into a seed."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
