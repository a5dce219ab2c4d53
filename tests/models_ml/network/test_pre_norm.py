"""Norms before the parts of a layer: the layers of the paper, and small steps at first."""

import pytest
import torch
from torch.nn import functional
from transformers import BertConfig, BertModel

from models_ml.network.attention import ATTENTION
from models_ml.network.pre_norm import norm_and_attention, normalize_first

WIDTH = 16


def encoder(layers: int) -> BertModel:
    config = BertConfig(
        vocab_size=9, hidden_size=WIDTH, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=4 * WIDTH, is_decoder=True, use_cache=False,
        attn_implementation=ATTENTION,
    )  # fmt: skip
    torch.manual_seed(0)
    made = BertModel(config, add_pooling_layer=False)
    normalize_first(made)
    return made.eval()


def test_layers_add_to_what_they_read_normalized() -> None:
    model = encoder(2)
    told = torch.randn(1, 5, WIDTH)
    hidden = model.embeddings(inputs_embeds=told)
    for layer in model.encoder.layer:
        norm, attention = norm_and_attention(layer)
        read = norm(hidden)
        query, key, value = (
            of(read).unflatten(-1, (2, -1)).transpose(1, 2)
            for of in (attention.query, attention.key, attention.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        hidden = hidden + layer.attention.output.dense(seen.transpose(1, 2).flatten(2))
        read = layer.intermediate.norm(hidden)
        hidden = hidden + layer.output.dense(layer.intermediate.inner(read))
    expected = functional.layer_norm(hidden, (WIDTH,))
    found = model(inputs_embeds=told).last_hidden_state
    assert torch.allclose(found, expected, atol=1e-5)


def test_what_many_layers_add_is_no_more_than_what_few_do() -> None:
    few, many = (encoder(layers).encoder.layer[0].output.dense.weight for layers in (2, 32))
    assert many.std().item() == pytest.approx(few.std().item() / 4, rel=0.1)
