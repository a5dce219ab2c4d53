"""The benchmark for a GPU machine runs where there is none."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.bench import cuda, embed, figures
from tests.bench.figures import Figure
from tests.bench.roofline import Card, Encoder


def test_small_runs_all_parts_and_writes_nothing(
    town: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Figure] = []
    monkeypatch.setattr(cuda, "show", lambda _, told: shown.extend(told))
    monkeypatch.setattr(figures, "FOLDER", tmp_path / ".bench")
    monkeypatch.setattr(embed, "_SECONDS", 0.01)
    cuda.main(["--small", "--data", str(town), "--model", str(trained)])
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in shown)
    told = "\n".join(figure.name for figure in shown)
    for part in ("products", "packed", "padded", "forward", "optimizer", "places", "vectors"):
        assert part in told
    assert not (tmp_path / ".bench").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_cuda_it_says_so_and_measures_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "FOLDER", tmp_path / ".bench")
    cuda.main([])
    assert "No CUDA device here" in capsys.readouterr().out
    assert not (tmp_path / ".bench").exists()


def test_operations_are_those_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import BertConfig, BertModel

    width, layers, length, people = 16, 2, 12, 3
    model = BertModel(
        BertConfig(
            hidden_size=width, num_hidden_layers=layers, num_attention_heads=2,
            intermediate_size=4 * width, vocab_size=10, attn_implementation="eager",
        ),
        add_pooling_layer=False,
    )  # fmt: skip
    with FlopCounterMode(display=False) as counted:
        embedded = torch.randn(people, length, width, requires_grad=True)
        model(inputs_embeds=embedded).last_hidden_state.sum().backward()
    ours = Encoder(width, layers).operations(np.full(people, length))
    # It counts attention to all, not only to what came before: 4 T D instead of 2 (T + 1) D.
    more = 3 * layers * people * length * width * (4 * length - 2 * (length + 1))
    assert counted.get_total_flops() == ours + more


def test_a_step_takes_as_long_as_the_scarcer_of_the_two() -> None:
    card = Card(operations=100.0, copied=10.0)
    assert card.least_seconds(1000.0, 50.0) == 10.0
    assert card.least_seconds(1000.0, 500.0) == 50.0


def test_figures_are_told_on_a_machine_without_rich(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    figures.show("bench-x", [Figure("speed", 2.5, "1/s", 2.0, "higher", "goal")])
    assert capsys.readouterr().out.splitlines()[-1] == "speed\t2.5\t1/s\t≥ 2\tgoal\tyes"
