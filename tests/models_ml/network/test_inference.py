"""The network as it answers gives the scores of the network as it learns."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.network.inference import Scorer
from tests.models_ml.network.test_bert import PLACES, batch_of, network

# Place PLACES is a stranger.
histories = st.lists(st.integers(0, PLACES), max_size=40)


@pytest.mark.parametrize("has_surroundings", [True, False])
@pytest.mark.parametrize("has_pointer", [True, False])
@pytest.mark.parametrize("pre_norm", [True, False])
@settings(max_examples=15, deadline=None)
@given(people=st.lists(histories, min_size=1, max_size=5))
def test_it_scores_as_the_network_does(
    *, has_pointer: bool, has_surroundings: bool, pre_norm: bool, people: list[list[int]]
) -> None:
    model = network(has_pointer=has_pointer, has_surroundings=has_surroundings, pre_norm=pre_norm)
    with torch.inference_mode():
        scores = Scorer(model).score(batch_of(*people))
        assert torch.allclose(scores, model.score(batch_of(*people)), atol=1e-4)


def test_at_the_greatest_length_it_does_as_well() -> None:
    model = network()
    whole = [n % (PLACES + 1) for n in range(200)]
    with torch.inference_mode():
        scores = Scorer(model).score(batch_of(whole, [], whole[:199]))
        expected = model.score(batch_of(whole, [], whole[:199]))
    assert torch.allclose(scores, expected, atol=1e-4)


def test_the_table_of_places_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    scorer = Scorer(model)
    monkeypatch.setattr(model, "place_table", None)
    with torch.inference_mode():
        assert torch.isfinite(scorer.score(batch_of([1, 2]))).all()
