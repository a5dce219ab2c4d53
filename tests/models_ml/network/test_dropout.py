"""Dropout that draws little."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from models_ml.network.dropout import Dropout, replace_dropout


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 0.95), st.integers(0, 2**32))
def test_a_share_is_dropped_and_the_rest_makes_up_for_it(share: float, seed: int) -> None:
    torch.manual_seed(seed)
    values = Dropout(share)(torch.ones(50_001))
    assert (values == 0).float().mean().item() == pytest.approx(share, abs=0.012)
    assert values.max().item() == pytest.approx(1 / (1 - share), rel=1e-3)


def test_the_seed_alone_decides_what_is_dropped() -> None:
    dropout, values = Dropout(0.3), torch.randn(7, 11, 3)
    found = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        found.append(dropout(values))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    is_dropped = (Dropout(0.5)(torch.ones(100_000)) == 0).float()
    for apart in (1, 2, 3, 4):
        both = torch.stack([is_dropped[apart:], is_dropped[:-apart]])
        assert abs(torch.corrcoef(both)[0, 1].item()) < 0.02


def test_the_gradient_is_dropped_where_the_value_is() -> None:
    values = torch.ones(1000, requires_grad=True)
    out = Dropout(0.2)(values)
    out.sum().backward()
    assert torch.equal(values.grad, out.detach())


def test_answering_drops_nothing() -> None:
    values = torch.randn(100)
    assert torch.equal(Dropout(0.5).eval()(values), values)


def test_every_dropout_inside_is_replaced() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.4)))
    replace_dropout(module)
    assert type(module[1][0]) is Dropout
    assert module[1][0].p == 0.4
