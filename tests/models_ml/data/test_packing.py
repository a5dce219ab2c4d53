"""Packed sequences: the same answers, losses and gradients as with padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models_ml.data.packing import Packing
from models_ml.data.tokens import SPECIAL_TOKENS
from models_ml.network.bert import Network
from models_ml.training.batches import packed
from tests.models_ml.network.test_bert import batch_of, network

SEQUENCES = ([1, 2, 3], [], [4, 4, 5, 6, 7, 8, 0, 1], [2])


def learned(model: Network, *, is_packed: bool) -> list[Tensor]:
    """Return the loss and all gradients of a batch with context, padding and an empty history."""
    batch = batch_of(*SEQUENCES)
    targets = torch.zeros_like(batch.places)
    targets[0, 1:4] = torch.tensor([3, 4, 5])
    targets[2, 4:9] = torch.tensor([9, 10, 3, 4, 4])
    targets[1, 0] = SPECIAL_TOKENS
    loss = model(packed(batch) if is_packed else batch, targets, None)
    model.zero_grad()
    loss.backward()
    return [loss.detach(), *(weights.grad for weights in model.parameters())]


@pytest.mark.parametrize("has_pointer", [True, False])
@pytest.mark.parametrize("pre_norm", [True, False])
def test_packed_loss_and_gradients_are_those_of_the_padded_batch(
    *, has_pointer: bool, pre_norm: bool
) -> None:
    model = network(has_pointer=has_pointer, pre_norm=pre_norm)
    padded, one_row = (learned(model, is_packed=is_packed) for is_packed in (False, True))
    for one, other in zip(one_row, padded, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, atol=1e-5, rtol=1e-5)


def test_packed_sequences_do_not_see_each_other() -> None:
    model = network()
    one, other = (model.score(packed(batch_of(first, [1, 2, 3]))) for first in ([4, 5], [8, 0]))
    assert torch.allclose(one[1], other[1], atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_packing_loses_no_event_and_unpacks_to_where_it_was(lengths: list[int]) -> None:
    width = max(lengths)
    packing = Packing.of(torch.tensor(lengths), width)
    values = torch.randn(len(lengths), width, 3)
    is_event = torch.arange(width) < torch.tensor(lengths)[:, None]
    assert packing.pack(values).shape == (1, sum(lengths), 3)
    unpacked = packing.unpack(packing.pack(values), (len(lengths), width))
    assert torch.equal(unpacked, values * is_event[:, :, None])
    assert packing.bounds.tolist() == [0, *torch.tensor(lengths).cumsum(0).tolist()]
    assert packing.positions.tolist() == [step for length in lengths for step in range(length)]
