"""The loss in bounded memory, and in bfloat16."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models_ml.network.loss import LOGITS_AT_ONCE, Candidates, next_place_loss


class LargestTensor(TorchDispatchMode):
    """Notes how many values the largest tensor made has."""

    values = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, Tensor):
                self.values = max(self.values, tensor.numel())
        return made


def drawn(targets: int, places: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(targets, width, generator=generator, requires_grad=True)
    table = torch.randn(places, width, generator=generator, requires_grad=True)
    bias = torch.randn(places, generator=generator, requires_grad=True)
    return hidden, table, bias, torch.randint(places, (targets,), generator=generator)


@pytest.mark.parametrize("places", [20_000, 200_000])
def test_no_tensor_is_as_large_as_targets_times_places(places: int) -> None:
    hidden, table, bias, targets = drawn(400, places, 8)
    with LargestTensor() as largest:
        next_place_loss(hidden, (table, bias), targets).backward()
    # A chunk of logits of at least 16 rows, or the table's gradient.
    assert largest.values <= max(LOGITS_AT_ONCE["cpu"], 16 * places)
    assert table.grad is not None


@pytest.mark.parametrize("among", [None, Candidates(torch.arange(0, 3000, 3), torch.zeros(1000))])
def test_in_chunks_the_loss_and_its_gradients_are_those_of_the_whole(
    among: Candidates | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden, table, bias, targets = drawn(200, 3000, 8)
    found = []
    for at_once in (20_000, 10**9):
        monkeypatch.setitem(LOGITS_AT_ONCE, "cpu", at_once)
        loss = next_place_loss(hidden, (table, bias), targets, among)
        found.append([loss, *torch.autograd.grad(loss, [hidden, table, bias])])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_in_bfloat16_the_gradients_stay_float32_and_near_the_true_ones() -> None:
    hidden, table, bias, targets = drawn(300, 500, 16)
    exact = next_place_loss(hidden, (table, bias), targets)
    wanted = torch.autograd.grad(exact, [hidden, table, bias])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = next_place_loss(hidden, (table, bias), targets)
    found = torch.autograd.grad(rough, [hidden, table, bias])
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), rel=5e-3)
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.02 * other.norm()


def test_logits_of_any_size_give_finite_gradients() -> None:
    hidden, table, bias, targets = drawn(50, 100, 4)
    loss = next_place_loss(hidden * 1e4, (table, bias), targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert table.grad is not None
    assert torch.isfinite(table.grad).all()
