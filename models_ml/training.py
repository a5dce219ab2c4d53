"""One training: what it learns from, what it has learned, and where it stands."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from models_ml.checkpoints import Progress
from models_ml.config import Preset
from models_ml.lessons import Windows, batches_of, lesson_batch, question_batches, windows_of
from models_ml.metrics import gains, worst_ranks
from models_ml.network import Architecture, Candidates, Network, draw_candidates
from models_ml.processes import Processes
from models_ml.split import Split, excludes_seen, known_events, learned_events, split
from models_ml.tokens import SPECIAL_TOKENS, Batch, EventTokens, Vocabulary
from models_ml.training_set import TrainingSet

_VALIDATION_SAMPLE = 4000
_CLIP = 1.0


class NothingToLearnError(ValueError):
    """The training part has no event."""


class Training:
    """One run: what it learns from, what it has learned, and where it stands."""

    def __init__(
        self, data: TrainingSet, preset: Preset, seed: int, processes: Processes | None = None
    ) -> None:
        """Build the network with fresh weights, the same in each process."""
        self.processes = processes or Processes()
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
        self.device = self.processes.device
        torch.manual_seed(seed)
        self.network = Network(self.architecture, self.vocabulary).to(self.device)
        self.averaged = _average(self.network, preset.averaging) if preset.averaging else None
        self.learner = self.processes.joined(self.network)
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
        batch, targets, candidates = self._lessons(windows)
        lessons = int((targets > 0).sum())
        (total,) = self.processes.summed(lessons)
        for group in self.optimizer.param_groups:
            group["lr"] = self.preset.learning_rate * _schedule(share_done, self.preset)
        self.learner.train()
        with _precision(self.device):
            loss = self.learner(batch.to(self.device), targets.to(self.device), candidates)
        self.optimizer.zero_grad(set_to_none=True)
        # The mean of the processes' gradients is then that of all lessons.
        (loss * (lessons * self.processes.count / max(1.0, total))).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimizer.step()
        if self.averaged:
            self.averaged.update_parameters(self.network)
        (loss_sum,) = self.processes.summed(loss.item() * lessons)
        return loss_sum, int(total)

    def _lessons(self, windows: Windows) -> tuple[Batch, Tensor, Candidates | None]:
        """Lay out this process's share of a batch, and what all of them are weighed against.

        What is random depends on the step alone, so that a training goes on from anywhere.
        """
        state = self.progress
        here = [self.seed, state.epoch, state.step]
        torch.manual_seed(_number([*here, self.processes.rank]))
        mine = self.processes.share(windows)
        is_idle = len(mine.starts) == 0
        batch, targets = lesson_batch(
            self.events,
            windows.take(np.arange(1)) if is_idle else mine,
            has_times=self.architecture.has_times,
        )
        candidates = draw_candidates(
            self.network.size,
            self.preset.candidates,
            self.network.popular,
            torch.Generator().manual_seed(_number(here)),
        )
        return batch, torch.zeros_like(targets) if is_idle else targets, candidates

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
        """NDCG@10 on `validated_targets`."""
        targets = self.validated_targets
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


def _number(parts: Sequence[int]) -> int:
    """Turn *parts* into a seed."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
