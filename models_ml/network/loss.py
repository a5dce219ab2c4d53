"""The loss: cross-entropy over all places or sampled candidates (sampled softmax), in few bytes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

NEVER = -1e9
# On CPU a chunk that stays in the cache; on a GPU one that keeps it busy: 64 rows of 10^6 places.
LOGITS_AT_ONCE = {"cpu": 500_000, "cuda": 64_000_000}
_LEAST_ROWS = 16


class _NextPlaceLoss(torch.autograd.Function):
    """Cross-entropy over candidates and pointer without keeping the logits.

    All gradients are made on the way forward, chunk by chunk, so nothing is computed twice. Beside
    the gradients, which are as large as what they belong to, memory is bounded by one chunk of
    logits: `LOGITS_AT_ONCE` in float32 (256 MB on CUDA), and as many in bfloat16 there; from 4
    million places on CUDA (30,000 on CPU) by `_LEAST_ROWS` rows of them.

    Under autocast matrices are multiplied in its type; logits, their exponentials and the sums of
    the table's gradient are float32. Exponentials are at most 1, whatever the logits are.
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
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        with torch.autocast(device, enabled=False):
            total, gradients = _gradients(
                (hidden.to(dtype or hidden.dtype), table.to(dtype or table.dtype), bias),
                (own, columns, pointer),
            )
        ctx.save_for_backward(*gradients)
        ctx.count = max(1, len(own))
        ctx.dtypes = hidden.dtype, table.dtype
        return total / ctx.count

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        scale = outputs[0] / ctx.count
        hidden, table, bias, own, pointer = (saved * scale for saved in ctx.saved_tensors)
        for_hidden, for_table = ctx.dtypes
        return hidden.to(for_hidden), table.to(for_table), bias, own, None, pointer


def _gradients(
    scored: tuple[Tensor, Tensor, Tensor], told: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the sum of the losses, and its gradients, in the order that they are given in."""
    (hidden, table, bias), (own, columns, pointer) = scored, told
    total = torch.zeros((), device=hidden.device)
    gradients = (
        torch.empty_like(hidden, dtype=torch.float32),
        torch.zeros_like(table, dtype=torch.float32),
        torch.zeros_like(bias),
        torch.empty_like(own),
        torch.empty_like(pointer),
    )
    rows = max(_LEAST_ROWS, LOGITS_AT_ONCE[hidden.device.type] // len(table))
    for start in range(0, len(own), rows):
        part = slice(start, start + rows)
        pointed, hit = pointer[part].unbind(1)
        logits = _without(_logits(hidden[part], table, bias), columns[part])
        highest = logits.amax(1)
        shares = logits.sub_(highest.unsqueeze(1)).exp_()
        others = highest + shares.sum(1).log()
        every = torch.logaddexp(torch.logaddexp(others, own[part]), pointed)
        totals = torch.logaddexp(own[part], hit)
        total += (every - totals).sum()
        # What turns the exponentials into probabilities goes into the small factor.
        weights = (highest - every).exp()
        gradients[2].addmv_(shares.T, weights)
        shares = shares.to(table.dtype)
        gradients[0][part] = (shares @ table) * weights.unsqueeze(1)
        scaled = (hidden[part] * weights.unsqueeze(1)).to(table.dtype)
        gradients[1].add_(shares.T @ scaled)
        gradients[3][part] = (own[part] - every).exp() - (own[part] - totals).exp()
        gradients[4][part, 0] = (pointed - every).exp()
        gradients[4][part, 1] = -(hit - totals).exp()
    return total, gradients


def _logits(hidden: Tensor, table: Tensor, bias: Tensor) -> Tensor:
    """Score every place for each row, in float32."""
    if table.dtype == torch.float32:
        return torch.addmm(bias, hidden, table.T)
    return (hidden @ table.T).float().add_(bias)


def _without(logits: Tensor, columns: Tensor) -> Tensor:
    """Take each target's own logit out, where it is among the candidates: it comes apart.

    Nothing here depends on how many these are, so that a GPU need not be waited for.
    """
    at = columns.clamp(min=0).unsqueeze(1)
    rest = torch.where(columns.unsqueeze(1) >= 0, NEVER, logits.gather(1, at))
    return logits.scatter_(1, at, rest)


@dataclass(frozen=True)
class Candidates:
    """The places a loss is taken over: rows of the table, with the log of what each stands for."""

    places: Tensor
    log_weights: Tensor


def draw_candidates(
    size: int, sampled: int, popular: Tensor, generator: np.random.Generator
) -> Candidates | None:
    """Draw *sampled* places to stand for all *size*; none where that would save nothing.

    Half are the most popular ones, which stand for themselves; the other half
    are drawn from the rest, and each stands for its share of it. *popular* lists
    all places, the most popular first.
    """
    head = sampled // 2
    if size <= sampled:
        return None
    tail = size - head
    drawn = head + generator.choice(tail, sampled - head, replace=False, shuffle=False)
    weights = torch.zeros(sampled)
    weights[head:] = math.log(tail / (sampled - head))
    return Candidates(torch.cat([popular[:head], popular[torch.from_numpy(drawn)]]), weights)


def next_place_loss(
    hidden: Tensor,
    places: tuple[Tensor, Tensor],
    targets: Tensor,
    candidates: Candidates | None = None,
    pointer: Tensor | None = None,
) -> Tensor:
    """Return the mean cross-entropy of *targets* over all places, or over *candidates*.

    No tensor has as many values as there are targets times places, whatever either is.

    hidden   (N, D)
    places   (V, D), (V,)  embedding and bias of each place
    targets  (N,)          places
    pointer  (N, 2)        log of the pointer's whole weight, and of that on the target
    """
    table, bias = places
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
