"""The trained network as it answers: nothing is reckoned that the answer does not need.

The places' embeddings do not depend on the question and are made once. The encoder's layers are
run one by one, without what `BertModel` does for other uses of it; where no pointer looks at what
lies before, the last layer is read at each history's end alone. Only tensors go in and come out,
so that the whole can be exported.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models_ml.data.tokens import SPECIAL_TOKENS, UNKNOWN, Batch
from models_ml.network.bert import Network
from models_ml.network.pre_norm import norm_and_attention


class Scorer(nn.Module):
    """Gives the scores of `Network.score`, up to rounding."""

    table: Tensor
    special: Tensor

    def __init__(self, network: Network) -> None:
        """Take a trained *network*, whose weights change no more."""
        super().__init__()
        self._network = network.eval()
        with torch.no_grad():
            special = network.encoder.embeddings.word_embeddings.weight[:SPECIAL_TOKENS].clone()
            self.register_buffer("table", network.place_table(), persistent=False)
            self.register_buffer("special", special, persistent=False)

    def score(self, batch: Batch) -> Tensor:
        """Return log-scores of what comes next after each whole history, (B, V)."""
        tensors = {name: value for name, value in vars(batch).items() if name != "packing"}
        scores: Tensor = self(**tensors)
        return scores

    def forward(  # noqa: PLR0913, PLR0917 - an exported graph has each tensor as an input of its own
        self,
        places: Tensor,
        kinds: Tensor,
        hours: Tensor,
        weekdays: Tensor,
        gaps: Tensor,
        lengths: Tensor,
        stranger_categories: Tensor,
        stranger_districts: Tensor,
    ) -> Tensor:
        """Return what `score` does, from the tensors of a `Batch`."""
        network = self._network
        inputs = self._embed(places, stranger_categories, stranger_districts)
        hidden = self._start(inputs, kinds, (hours, weekdays, gaps))
        *layers, top = network.encoder.encoder.layer
        for layer in layers:
            hidden = _run(layer, hidden)
        ends = lengths - 1
        rows = torch.arange(hidden.shape[0], device=hidden.device)
        if network.pointer is None:
            last = _run(top, hidden, ends)[:, 0]
        else:
            hidden = _run(top, hidden)
            last = hidden[rows, ends]
        return network.answer(last, ends, (hidden, inputs, places), self.table)

    def score_at(self, batch: Batch, rows: Tensor, ends: Tensor) -> Tensor:
        """Return log-scores of what comes next after *ends* (N,) of the histories *rows*, (N, V).

        Each history is read once, however often it is asked about: what comes later in it is not
        looked at.
        """
        network = self._network
        inputs = self._embed(batch.places, batch.stranger_categories, batch.stranger_districts)
        hidden = self._start(inputs, batch.kinds, (batch.hours, batch.weekdays, batch.gaps))
        for layer in network.encoder.encoder.layer:
            hidden = _run(layer, hidden)
        past = (hidden[rows], inputs[rows], batch.places[rows])
        return network.answer(hidden[rows, ends], ends, past, self.table)

    def _start(self, inputs: Tensor, kinds: Tensor, times: tuple[Tensor, ...]) -> Tensor:
        """Return what the first layer reads, (B, T, D)."""
        network, extra = self._network, inputs
        if network.architecture.has_times:
            for embedding, tokens in zip(network.times, times, strict=True):
                extra = extra + embedding(tokens)
        embedded: Tensor = network.encoder.embeddings(inputs_embeds=extra, token_type_ids=kinds)
        return embedded

    def _embed(self, places: Tensor, categories: Tensor, districts: Tensor) -> Tensor:
        """Look places up, (B, T, D), without copying the table to put others beside it."""
        size = self.table.shape[0]
        strangers = self._network.surroundings(categories, districts) + self.special[UNKNOWN]
        others = torch.cat([self.special, strangers])
        # Strangers are numbered behind the known places, and here behind the special tokens.
        is_stranger = places >= SPECIAL_TOKENS + size
        other = torch.where(is_stranger, places - size, places.clamp(max=SPECIAL_TOKENS - 1))
        is_known = (places >= SPECIAL_TOKENS) & ~is_stranger
        return torch.where(
            is_known.unsqueeze(-1),
            functional.embedding((places - SPECIAL_TOKENS).clamp(0, size - 1), self.table),
            functional.embedding(other, others),
        )


def _run(layer: nn.Module, hidden: Tensor, ends: Tensor | None = None) -> Tensor:
    """Run one layer of BERT as a decoder: (B, T, D), or (B, 1, D) with the positions *ends* alone.

    Padding is on the right, so what lies at or before a history's end never sees it.
    """
    norm, attention = norm_and_attention(layer)
    seen = norm(hidden)
    asking, asked, mask = hidden, seen, None
    if ends is not None:
        rows = torch.arange(hidden.shape[0], device=hidden.device)
        asking, asked = (values[rows, ends].unsqueeze(1) for values in (hidden, seen))
        steps = torch.arange(hidden.shape[1], device=hidden.device)
        mask = (steps <= ends[:, None])[:, None, None]

    def by_head(values: Tensor) -> Tensor:
        return values.unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)

    attended = functional.scaled_dot_product_attention(
        by_head(attention.query(asked)),
        by_head(attention.key(seen)),
        by_head(attention.value(seen)),
        attn_mask=mask,
        is_causal=mask is None,
    )
    read = layer.attention.output(attended.transpose(1, 2).flatten(2), asking)
    output: Tensor = layer.output(layer.intermediate(read), read)
    return output
