"""What a device does better, and what happens where it does not."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from models_ml.training.devices import compile_where_it_works, packs, precision


@pytest.fixture
def _eager_afterwards() -> Iterator[None]:
    yield
    torch.compiler.set_stance("default")
    torch.compiler.reset()


class Failing(nn.Module):
    """Fails whenever it is compiled, and works otherwise."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if torch.compiler.is_compiling():
            raise RuntimeError("no compiler")
        return values + 1

    def compile(self, **more: Any) -> None:
        super().compile(backend="eager", fullgraph=True, **more)


@pytest.mark.usefixtures("_eager_afterwards")
def test_where_it_does_not_compile_it_says_so_and_runs(capsys: pytest.CaptureFixture[str]) -> None:
    module, ran = Failing(), []
    assert not compile_where_it_works(module, lambda: ran.append(module(torch.zeros(1)).item()))
    assert ran == [1]
    told = capsys.readouterr().err
    assert told.startswith("torch.compile does not work here and is left out: ")
    assert len(told.splitlines()) == 1
    assert module(torch.zeros(1)).item() == 1


@pytest.mark.usefixtures("_eager_afterwards")
def test_an_error_that_is_not_the_compilers_is_raised() -> None:
    module = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="shapes"):
        compile_where_it_works(module, lambda: module(torch.zeros(1, 3)))


def test_a_cpu_learns_in_float32_with_padding() -> None:
    cpu = torch.device("cpu")
    assert not packs(cpu)
    with precision(cpu):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
