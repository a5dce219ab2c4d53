"""The network: a transformers BERT encoder that reads a history and says what comes next.

A place is the sum of its own, its categories' and its district's embedding, on
the way in and, tied, on the way out. The encoder looks back only, so that each
position of a history is a lesson. Where people return to places, a pointer into
the history shares the softmax with the vocabulary: each past event gives its
place a weight that depends on what was learned, on its age and on what came
just before it then.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from models_ml.data.tokens import (
    GAPS,
    HOURS,
    MAX_EVENTS,
    SPECIAL_TOKENS,
    UNKNOWN,
    WEEKDAYS,
    Batch,
    Vocabulary,
)
from models_ml.network.architecture import Architecture
from models_ml.network.attention import ATTENTION
from models_ml.network.dropout import replace_dropout
from models_ml.network.loss import NEVER, Candidates, next_place_loss
from models_ml.network.pre_norm import normalize_first

POSITIONS = MAX_EVENTS + 1
_INITIAL_SPREAD = 0.02


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
            attn_implementation=ATTENTION,
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        if architecture.pre_norm:
            normalize_first(self.encoder)
        replace_dropout(self.encoder)
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
        return self._encode(batch, extra), inputs

    def _encode(self, batch: Batch, embedded: Tensor) -> Tensor:
        packing = batch.packing
        if packing is None:
            encoded = self.encoder(inputs_embeds=embedded, token_type_ids=batch.kinds)
            return encoded.last_hidden_state
        encoded = self.encoder(
            inputs_embeds=packing.pack(embedded),
            token_type_ids=packing.pack(batch.kinds),
            position_ids=packing.positions.unsqueeze(0),
            bounds=packing.bounds,
            longest=POSITIONS,
        )
        return packing.unpack(encoded.last_hidden_state, batch.places.shape)

    def forward(
        self,
        batch: Batch,
        targets: Tensor,
        candidates: Candidates | None,
        lessons: Tensor | None = None,
    ) -> Tensor:
        """Return the mean cross-entropy of *targets* (B, T), places by token, 0 where none.

        Each is weighed against all places, or against *candidates*. With a single candidate a
        target the loss is that of SASRec (Kang and McAuley, ICDM 2018): is it the target, or a
        place drawn at random that the person did not choose?

        lessons  (N,)  where there are targets, in the flattened batch; to find them here, the
                       processor has to wait for a GPU
        """
        if lessons is None:
            lessons = targets.flatten().nonzero().squeeze(1)
        table = self.place_table()
        hidden, inputs = self.encode(batch, table)
        asking, wanted = hidden.flatten(0, 1)[lessons], targets.flatten()[lessons]
        if candidates is not None and len(candidates.places) == 1:
            seen = batch.places[lessons // targets.shape[1]]
            return self._binary_loss(asking, wanted, seen, table)
        pointer = None
        if self.pointer is not None:
            steps = torch.arange(hidden.shape[1], device=hidden.device)
            weights = self.pointer(hidden, steps[None], (hidden, inputs, batch.places), self.size)
            weights = weights.flatten(0, 1)[lessons]
            is_hit = batch.places[lessons // targets.shape[1]] == wanted[:, None]
            hit = weights.masked_fill(~is_hit, NEVER).logsumexp(-1)
            pointer = torch.stack([weights.logsumexp(-1), hit], dim=1)
        return next_place_loss(
            asking, (table, self.bias), wanted - SPECIAL_TOKENS, candidates, pointer
        )

    def _binary_loss(self, asking: Tensor, wanted: Tensor, seen: Tensor, table: Tensor) -> Tensor:
        """Return the loss of SASRec.

        asking  (N, D)  hidden states
        wanted  (N,)    targets, by token
        seen    (N, T)  all places of the sequence that each stands in, by token
        """
        others = torch.randint(self.size, wanted.shape, device=wanted.device) + SPECIAL_TOKENS
        is_chosen = (others[:, None] == seen).any(-1) | (others == wanted)
        own, other = (
            (asking * functional.embedding(places, table)).sum(-1) + self.bias[places]
            for places in (wanted - SPECIAL_TOKENS, others - SPECIAL_TOKENS)
        )
        losses = functional.softplus(-own) + functional.softplus(other) * ~is_chosen
        return losses.sum() / max(1, len(wanted))

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


def _embedding(size: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(size, width)
    nn.init.normal_(embedding.weight, std=_INITIAL_SPREAD)
    return embedding
