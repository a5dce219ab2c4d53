"""The network: a transformers BERT encoder that reads a history and says what comes next.

A place is the sum of its own, its categories' and its district's embedding, on
the way in and, tied, on the way out. The encoder looks back only, so that each
position of a history is a lesson. Where people return to places, a pointer into
the history shares the softmax with the vocabulary: each past event gives its
place a weight that depends on what was learned, on its age and on what came
just before it then.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from models_ml.tokens import (
    GAPS,
    HOURS,
    MAX_EVENTS,
    SPECIAL_TOKENS,
    UNKNOWN,
    WEEKDAYS,
    Batch,
    Vocabulary,
)

POSITIONS = MAX_EVENTS + 1
NEVER = -1e9
_INITIAL_SPREAD = 0.02
# On CPU a chunk that stays in the cache; on a GPU one that keeps it busy.
_LOGITS_AT_ONCE = {"cpu": 500_000, "cuda": 64_000_000}


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build the network again, besides its vocabulary."""

    hidden_size: int
    layers: int
    heads: int
    dropout: float
    place_dropout: float
    has_times: bool
    has_pointer: bool
    has_surroundings: bool = True


class Network(nn.Module):
    """Scores over the vocabulary's places for each position of each history."""

    popular: Tensor
    place_categories: Tensor
    place_districts: Tensor

    def __init__(self, architecture: Architecture, vocabulary: Vocabulary) -> None:
        """Build it with fresh weights, drawn from torch's own generator."""
        super().__init__()
        self.architecture = architecture
        self.size = len(vocabulary)
        width = architecture.hidden_size
        config = BertConfig(
            vocab_size=SPECIAL_TOKENS + self.size,
            hidden_size=width,
            num_hidden_layers=architecture.layers,
            num_attention_heads=architecture.heads,
            intermediate_size=4 * width,
            hidden_dropout_prob=architecture.dropout,
            # Dropout here would forbid the fused attention of CPU builds.
            attention_probs_dropout_prob=0.0,
            max_position_embeddings=POSITIONS,
            type_vocab_size=1 + len(vocabulary.kinds),
            initializer_range=_INITIAL_SPREAD,
            pad_token_id=0,
            use_cache=False,
            is_decoder=True,
            attn_implementation="sdpa",
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.categories = self.districts = None
        if architecture.has_surroundings:
            self.categories = _embedding(1 + len(vocabulary.categories), width)
            self.districts = _embedding(1 + len(vocabulary.districts), width)
        self.times = nn.ModuleList(
            [_embedding(size, width) for size in (1 + HOURS, 1 + WEEKDAYS, GAPS)]
            if architecture.has_times
            else []
        )
        self.bias = nn.Parameter(torch.zeros(self.size))
        self.pointer = Pointer(width) if architecture.has_pointer else None
        popular = torch.from_numpy((-vocabulary.places.event_counts).argsort(kind="stable"))
        self.register_buffer("popular", popular, persistent=False)
        self.register_buffer(
            "place_categories", torch.from_numpy(vocabulary.place_categories), persistent=False
        )
        self.register_buffer(
            "place_districts", torch.from_numpy(vocabulary.place_districts), persistent=False
        )

    def place_table(self) -> Tensor:
        """Return the embedding of every known place, (V, D)."""
        own: Tensor = self.encoder.embeddings.word_embeddings.weight[SPECIAL_TOKENS:]
        return own + self.surroundings(self.place_categories, self.place_districts)

    def encode(self, batch: Batch, table: Tensor) -> tuple[Tensor, Tensor]:
        """Read *batch*; return the hidden state and the place embedding at each position.

        hidden, inputs  (B, T, D)
        """
        inputs = self._embed(batch, table)
        extra = inputs
        if self.architecture.has_times:
            for embedding, tokens in zip(
                self.times, (batch.hours, batch.weekdays, batch.gaps), strict=True
            ):
                extra = extra + embedding(tokens)
        hidden = self.encoder(inputs_embeds=extra, token_type_ids=batch.kinds).last_hidden_state
        return hidden, inputs

    def forward(self, batch: Batch, targets: Tensor, candidates: "Candidates | None") -> Tensor:
        """Return the mean cross-entropy of *targets* (B, T), places by token, 0 where none.

        Each is weighed against all places, or against *candidates*. With a single candidate a
        target the loss is that of SASRec (Kang and McAuley, ICDM 2018): is it the target, or a
        place drawn at random that the person did not choose?
        """
        table = self.place_table()
        hidden, inputs = self.encode(batch, table)
        is_lesson = targets >= SPECIAL_TOKENS
        if candidates is not None and len(candidates.places) == 1:
            return self._binary_loss(batch, targets, hidden, table)
        pointer = None
        if self.pointer is not None:
            steps = torch.arange(hidden.shape[1], device=hidden.device)
            weights = self.pointer(hidden, steps[None], (hidden, inputs, batch.places), self.size)
            matches = batch.places[:, None, :] == targets[:, :, None]
            hit = weights.masked_fill(~matches, NEVER).logsumexp(-1)
            pointer = torch.stack([weights.logsumexp(-1)[is_lesson], hit[is_lesson]], dim=1)
        return next_place_loss(
            hidden[is_lesson],
            (table, self.bias),
            targets[is_lesson] - SPECIAL_TOKENS,
            candidates,
            pointer,
        )

    def _binary_loss(self, batch: Batch, targets: Tensor, hidden: Tensor, table: Tensor) -> Tensor:
        is_lesson = targets >= SPECIAL_TOKENS
        others = torch.randint(self.size, targets.shape, device=hidden.device)
        is_chosen = (others[:, :, None] + SPECIAL_TOKENS == batch.places[:, None, :]).any(-1)
        is_chosen |= others + SPECIAL_TOKENS == targets
        told = (targets[is_lesson] - SPECIAL_TOKENS, others[is_lesson])
        own, other = (
            (hidden[is_lesson] * functional.embedding(places, table)).sum(-1) + self.bias[places]
            for places in told
        )
        doubt = functional.softplus(other) * ~is_chosen[is_lesson]
        return (functional.softplus(-own) + doubt).mean()

    def score(self, batch: Batch) -> Tensor:
        """Return log-scores of what comes next after each whole history, (B, V)."""
        table = self.place_table()
        hidden, inputs = self.encode(batch, table)
        ends = batch.lengths - 1
        last = hidden[torch.arange(len(hidden), device=hidden.device), ends]
        return self.answer(last, ends, (hidden, inputs, batch.places), table)

    def answer(
        self, last: Tensor, ends: Tensor, past: tuple[Tensor, Tensor, Tensor], table: Tensor
    ) -> Tensor:
        """Return log-scores of all places from the last hidden states, (B, V).

        last   (B, D)                           the hidden states at *ends*
        ends   (B,)                             where each history ends
        past   (B, T, D), (B, T, D), (B, T)     hidden states, inputs and places of all positions;
                                                asked of by the pointer alone
        table  (V, D)                           what `place_table` returns
        """
        scores = functional.linear(last, table, self.bias).float()
        if self.pointer is None:
            return scores
        weights = self.pointer(last[:, None], ends[:, None], past, self.size)[:, 0].float()
        highest = torch.maximum(weights.amax(-1), scores.amax(-1)).unsqueeze(-1)
        copied = torch.zeros_like(scores)
        places = (past[2] - SPECIAL_TOKENS).clamp(0, self.size - 1)
        copied.scatter_add_(1, places, (weights - highest).exp())
        return torch.logaddexp(scores, copied.log() + highest)

    def surroundings(self, categories: Tensor, districts: Tensor) -> Tensor:
        """Return what categories (N, C) and district (N,) of places add to their names, (N, D)."""
        if self.categories is None or self.districts is None:
            return self.bias.new_zeros(len(districts), self.architecture.hidden_size)
        present = (categories > 0).sum(-1, keepdim=True).clamp(min=1)
        embedded = self.categories(categories) * (categories > 0).unsqueeze(-1)
        district = self.districts(districts) * (districts > 0).unsqueeze(-1)
        summed: Tensor = embedded.sum(-2) / present + district
        return summed

    def _embed(self, batch: Batch, table: Tensor) -> Tensor:
        own = self.encoder.embeddings.word_embeddings.weight
        known = torch.cat([own[:SPECIAL_TOKENS], table])
        if len(batch.stranger_districts):
            around = self.surroundings(batch.stranger_categories, batch.stranger_districts)
            known = torch.cat([known, own[UNKNOWN] + around])
        inputs = functional.embedding(batch.places, known)
        share = self.architecture.place_dropout
        if not (self.training and share):
            return inputs
        # A place now and then without its name teaches what a place is that has none.
        is_hidden = torch.rand(batch.places.shape, device=inputs.device) < share
        is_hidden &= (batch.places >= SPECIAL_TOKENS) & (batch.places < SPECIAL_TOKENS + self.size)
        names = functional.embedding(batch.places.clamp(max=SPECIAL_TOKENS + self.size - 1), own)
        return inputs + is_hidden.unsqueeze(-1) * (own[UNKNOWN] - names)


class Pointer(nn.Module):
    """Weights of the past events as answers to what comes next."""

    def __init__(self, width: int) -> None:
        """Start as a mild preference for what is recent."""
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key_before = nn.Linear(width, width, bias=False)
        self.key_place = nn.Linear(width, width, bias=False)
        self.level = nn.Linear(width, 1)
        self.age = nn.Parameter(-0.5 * torch.log(torch.arange(POSITIONS + 1) + 1.0))

    def forward(
        self, asking: Tensor, at: Tensor, past: tuple[Tensor, Tensor, Tensor], size: int
    ) -> Tensor:
        """Return the log-weight of each position as seen from those that ask, (B, Q, T).

        `NEVER` where it lies after them, or holds no place that could be an answer.

        asking  (B, Q, D)                         the hidden states that ask
        at      (B, Q) or (1, Q)                  where they stand
        past    (B, T, D), (B, T, D), (B, T)      hidden states, inputs and places of all positions
        """
        hidden, inputs, places = past
        before = functional.pad(hidden, (0, 0, 1, 0))[:, :-1]
        keys = self.key_before(before) + self.key_place(inputs)
        weights = self.query(asking) @ keys.transpose(1, 2) / math.sqrt(hidden.shape[-1])
        steps = torch.arange(hidden.shape[1], device=hidden.device)
        ages = at[:, :, None] - steps
        weights = weights + self.age[ages.clamp(min=0)] + self.level(asking)
        is_answer = (places >= SPECIAL_TOKENS) & (places < SPECIAL_TOKENS + size)
        return weights.masked_fill((ages < 0) | ~is_answer[:, None, :], NEVER)


class _NextPlaceLoss(torch.autograd.Function):
    """Cross-entropy over candidates and pointer without keeping the logits.

    All gradients are made on the way forward, chunk by chunk, so memory is
    bounded by one chunk of logits and nothing is computed twice.
    """

    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917 - autograd hands over each tensor by itself
        ctx: Any,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor,
        own: Tensor,
        columns: Tensor,
        pointer: Tensor,
    ) -> Tensor:
        rows = max(16, _LOGITS_AT_ONCE[hidden.device.type] // table.shape[0])
        total = hidden.new_zeros((), dtype=torch.float32)
        gradients = (
            torch.empty_like(hidden),
            torch.zeros_like(table, dtype=torch.float32),
            torch.zeros_like(bias),
            torch.empty_like(own),
            torch.empty_like(pointer),
        )
        for start in range(0, len(own), rows):
            part = slice(start, start + rows)
            pointed, hit = pointer[part].unbind(1)
            logits = (hidden[part] @ table.T).float() + bias
            inside = (columns[part] >= 0).nonzero().squeeze(1)
            # The target's own logit comes apart, whether or not it is among the candidates.
            logits[inside, columns[part][inside]] = NEVER
            every = torch.logaddexp(torch.logaddexp(logits.logsumexp(1), own[part]), pointed)
            found = torch.logaddexp(own[part], hit)
            total += (every - found).sum()
            shares = logits.sub_(every.unsqueeze(1)).exp_()
            gradients[2].add_(shares.sum(0))
            shares = shares.to(hidden.dtype)
            gradients[0][part] = shares @ table
            gradients[1].add_(shares.T @ hidden[part])
            gradients[3][part] = (own[part] - every).exp() - (own[part] - found).exp()
            gradients[4][part, 0] = (pointed - every).exp()
            gradients[4][part, 1] = -(hit - found).exp()
        count = max(1, len(own))
        ctx.save_for_backward(*(gradient / count for gradient in gradients))
        return total / count

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = outputs
        hidden, table, bias, own, pointer = (saved * scale for saved in ctx.saved_tensors)
        return hidden, table.to(hidden.dtype), bias, own, None, pointer


@dataclass(frozen=True)
class Candidates:
    """The places a loss is taken over: rows of the table, with the log of what each stands for."""

    places: Tensor
    log_weights: Tensor


def draw_candidates(
    size: int, sampled: int, popular: Tensor, generator: torch.Generator
) -> Candidates | None:
    """Draw *sampled* places to stand for all *size*; none where that would save nothing.

    Half are the most popular ones, which stand for themselves; the other half
    are drawn from the rest, and each stands for its share of it.
    """
    head = sampled // 2
    if size <= sampled:
        return None
    tail = size - head
    drawn = torch.randperm(tail, generator=generator)[: sampled - head].to(popular.device)
    weights = torch.zeros(sampled, device=popular.device)
    weights[head:] = math.log(tail / (sampled - head))
    return Candidates(torch.cat([popular[:head], popular[head:][drawn]]), weights)


def next_place_loss(
    hidden: Tensor,
    places: tuple[Tensor, Tensor],
    targets: Tensor,
    candidates: Candidates | None = None,
    pointer: Tensor | None = None,
) -> Tensor:
    """Return the mean cross-entropy of *targets* over all places, or over *candidates*.

    hidden   (N, D)
    places   (V, D), (V,)  embedding and bias of each place
    targets  (N,)          places
    pointer  (N, 2)        log of the pointer's whole weight, and of that on the target
    """
    table, bias = places
    table = table.to(hidden.dtype)
    own = (hidden * functional.embedding(targets, table)).sum(-1).float() + bias[targets]
    columns = targets
    if candidates is not None:
        columns = torch.full((len(table),), -1, device=targets.device)
        columns[candidates.places] = torch.arange(len(candidates.places), device=targets.device)
        columns = columns[targets]
        table = functional.embedding(candidates.places, table)
        bias = bias[candidates.places] + candidates.log_weights
    if pointer is None:
        pointer = hidden.new_full((len(targets), 2), NEVER, dtype=torch.float32)
    loss: Tensor = _NextPlaceLoss.apply(hidden, table, bias, own, columns, pointer.float())
    return loss


def _embedding(size: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(size, width)
    nn.init.normal_(embedding.weight, std=_INITIAL_SPREAD)
    return embedding
