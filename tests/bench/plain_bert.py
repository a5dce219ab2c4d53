"""The rival of `bench-train`: transformers' own BertForMaskedLM, used plainly.

Sequences of the newest 200 events, padded to 200; a fifth of the events masked; AdamW, float32.
Asked for what comes next, it reads the history with a mask behind it, as BERT4Rec does (Sun et
al., CIKM 2019).
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig, BertForMaskedLM

from models_ml.data.split import split
from models_ml.data.training_set import TrainingSet
from models_ml.metrics import gains, worst_ranks

LENGTH = 200
_MASKED = 0.2
_PAD, _MASK, _FIRST = 0, 1, 2
_IGNORED = -100
_ROWS_AT_ONCE = 64


class PlainBert:
    """A masked language model over places, and the histories that it learns from."""

    def __init__(self, data: TrainingSet, *, width: int, layers: int, heads: int) -> None:
        """Build it with fresh weights."""
        self.data, self.parts = data, split(data)
        self.histories = [
            data.places[max(begin, end - LENGTH) : end] + _FIRST
            for begin, end in zip(data.offsets[:-1], self.parts.learn_ends, strict=True)
            if end > begin
        ]
        config = BertConfig(
            vocab_size=_FIRST + len(data.catalogue),
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            max_position_embeddings=LENGTH + 1,
            type_vocab_size=1,
            pad_token_id=_PAD,
            attn_implementation="sdpa",
        )
        self.model = BertForMaskedLM(config)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, fused=True)
        self._generator = np.random.default_rng(0)

    def epoch(self, sequences_per_batch: int) -> tuple[int, int]:
        """Learn from every history once; return how many events were read, each of them once."""
        for histories in self.batches(sequences_per_batch):
            self.step(histories)
        read = sum(len(history) for history in self.histories)
        return read, read

    def batches(self, sequences_per_batch: int) -> Iterator[list[NDArray[np.int64]]]:
        """Yield all histories in random order."""
        order = self._generator.permutation(len(self.histories))
        for begin in range(0, len(order), sequences_per_batch):
            yield [self.histories[row] for row in order[begin : begin + sequences_per_batch]]

    def step(self, histories: list[NDArray[np.int64]]) -> None:
        """Learn from one batch."""
        self.model.train()
        tokens, is_event = _padded(histories, LENGTH)
        is_masked = is_event & (self._generator.random(tokens.shape) < _MASKED)
        # Where chance masks nothing there would be no loss.
        ends = [len(history) - 1 for history in histories]
        is_masked[np.arange(len(histories)), ends] |= ~is_masked.any(axis=1)
        labels = torch.from_numpy(np.where(is_masked, tokens, _IGNORED))
        read = torch.from_numpy(np.where(is_masked, _MASK, tokens))
        loss = self.model(
            input_ids=read, attention_mask=torch.from_numpy(is_event).long(), labels=labels
        ).loss
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def validate(self, targets: NDArray[np.int64]) -> float:
        """NDCG@10 of what stood before *targets*; places already seen are left out."""
        self.model.eval()
        data, found = self.data, []
        for begin in range(0, len(targets), _ROWS_AT_ONCE):
            asked = targets[begin : begin + _ROWS_AT_ONCE]
            seen = [
                data.places[data.offsets[data.event_users[target]] : target] for target in asked
            ]
            histories = [np.append(places[-(LENGTH - 1) :] + _FIRST, _MASK) for places in seen]
            tokens, is_event = _padded(histories, LENGTH)
            with torch.inference_mode():
                logits = self.model(
                    input_ids=torch.from_numpy(tokens),
                    attention_mask=torch.from_numpy(is_event).long(),
                ).logits
            ends = [len(history) - 1 for history in histories]
            scores = logits[torch.arange(len(asked)), ends, _FIRST:].numpy()
            for row, places in enumerate(seen):
                scores[row, places] = -np.inf
            found.append(gains(worst_ranks(scores, data.places[asked])))
        return float(np.concatenate(found).mean())


def _padded(
    histories: list[NDArray[np.int64]], length: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    tokens = np.full((len(histories), length), _PAD, dtype=np.int64)
    for row, history in enumerate(histories):
        tokens[row, : len(history)] = history
    return tokens, tokens != _PAD
