"""The network: what it may see, what padding does, and its hand-made gradients."""

import numpy as np
import pytest
import torch

from models_ml.data.tokens import SPECIAL_TOKENS, Batch, EventTokens, Vocabulary, collate
from models_ml.data.training_set import PlaceTable
from models_ml.network.architecture import Architecture
from models_ml.network.bert import Network
from models_ml.network.loss import NEVER, Candidates, draw_candidates, next_place_loss

PLACES = 9


def network(
    *, has_pointer: bool = True, has_surroundings: bool = True, pre_norm: bool = False
) -> Network:
    nowhere = np.full(PLACES, np.nan)
    places = PlaceTable(
        [f"p{n}" for n in range(PLACES)],
        [["x"] if n % 2 else ["x", "y"] for n in range(PLACES)],
        ["n"] * PLACES,
        nowhere,
        nowhere,
        np.arange(PLACES),
    )
    torch.manual_seed(0)
    made = Network(
        Architecture(
            16,
            2,
            2,
            0.1,
            0.1,
            has_times=True,
            has_pointer=has_pointer,
            has_surroundings=has_surroundings,
            pre_norm=pre_norm,
        ),
        Vocabulary(places, ["x", "y"], ["n"], ["visit"]),
    )
    # Fresh weights are so small that everything looks alike.
    with torch.no_grad():
        for weights in made.parameters():
            weights.add_(0.3 * torch.randn_like(weights))
    return made.eval()


def batch_of(*sequences: list[int]) -> Batch:
    places = np.concatenate([np.array(s, dtype=np.int64) for s in sequences]) + SPECIAL_TOKENS
    stops = np.cumsum([len(s) for s in sequences])
    events = EventTokens(
        places,
        np.ones(len(places), np.int64),
        np.arange(len(places)) * 10**10,
        np.array([[1, 0, 0, 0, 0, 0, 0, 0]]),
        np.array([1]),
    )
    return collate(events, stops - [len(s) for s in sequences], stops, has_times=True)


@pytest.mark.parametrize("has_pointer", [True, False])
def test_padding_changes_nothing(*, has_pointer: bool) -> None:
    model = network(has_pointer=has_pointer)
    alone = model.score(batch_of([1, 2, 3]))
    padded = model.score(batch_of([1, 2, 3], list(range(9)) * 5))
    assert torch.allclose(alone[0], padded[0], atol=1e-4)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_a_position_does_not_see_what_comes_after_it(*, pre_norm: bool) -> None:
    model = network(pre_norm=pre_norm)
    table = model.place_table()
    one, _ = model.encode(batch_of([1, 2, 3, 4]), table)
    other, _ = model.encode(batch_of([1, 2, 8, 7]), table)
    assert torch.allclose(one[:, :3], other[:, :3], atol=1e-6)
    assert not torch.allclose(one[:, 3], other[:, 3], atol=1e-3)


def test_the_pointer_lifts_places_that_were_visited() -> None:
    model = network()
    batch = batch_of([1, 2, 1, 1])
    pointing = model.score(batch).softmax(-1)
    model.pointer = None
    plain = model.score(batch).softmax(-1)
    assert pointing[0, 1] > plain[0, 1]
    assert pointing[0, 5] < plain[0, 5]


def test_the_loss_is_the_cross_entropy_of_the_scores() -> None:
    model = network()
    with torch.no_grad():
        loss = model(batch_of([1, 2, 5, 5]), torch.tensor([[0, 0, 0, 0, 2 + 3]]), None)
        scores = model.score(batch_of([1, 2, 5, 5]))
    assert loss.item() == pytest.approx(-scores.log_softmax(-1)[0, 2].item(), abs=1e-4)


def test_against_one_place_the_loss_is_binary_and_spares_what_was_chosen() -> None:
    model = network(has_pointer=False, has_surroundings=False)
    batch, targets = batch_of([1, 2, 5, 5]), torch.tensor([[0, 0, 0, 0, 2 + SPECIAL_TOKENS]])
    one = draw_candidates(PLACES, 1, model.popular, np.random.default_rng(0))
    with torch.no_grad():
        scores = model.score(batch)[0]
        losses = {round(model(batch, targets, one).item(), 4) for _ in range(200)}
    own = torch.nn.functional.softplus(-scores[2])
    others = [n for n in range(PLACES) if n not in {1, 2, 5}]
    told = {own + torch.nn.functional.softplus(scores[other]) for other in others}
    # Where one of its own was drawn, only the target counts.
    assert losses == {round(one.item(), 4) for one in told | {own}}


def test_without_surroundings_places_are_their_names_alone() -> None:
    model = network(has_surroundings=False)
    words = model.encoder.embeddings.word_embeddings.weight
    assert torch.equal(model.place_table(), words[SPECIAL_TOKENS:])
    stranger = batch_of([1, PLACES])
    assert torch.isfinite(model.score(stranger)).all()


@pytest.mark.parametrize("length", [0, 1, 2, 17, 199, 200])
def test_scores_are_finite_at_any_length(length: int) -> None:
    scores = network().score(batch_of([n % PLACES for n in range(length)]))
    assert torch.isfinite(scores).all()


def test_a_history_of_strangers_alone_is_answered() -> None:
    assert torch.isfinite(network().score(batch_of([PLACES, PLACES]))).all()


def test_the_hand_made_gradient_is_the_true_one() -> None:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(6, 4, generator=generator, requires_grad=True)
    table = torch.randn(9, 4, generator=generator, requires_grad=True)
    bias = torch.randn(9, generator=generator, requires_grad=True)
    pointer = torch.randn(6, 2, generator=generator, requires_grad=True)
    targets = torch.tensor([0, 3, 8, 3, 5, 1])

    loss = next_place_loss(hidden, (table, bias), targets, None, pointer)
    ours = torch.autograd.grad(loss, [hidden, table, bias, pointer])

    logits = hidden @ table.T + bias
    own = logits.gather(1, targets[:, None]).squeeze(1)
    every = torch.logaddexp(logits.logsumexp(1), pointer[:, 0])
    plain = (every - torch.logaddexp(own, pointer[:, 1])).mean()
    theirs = torch.autograd.grad(plain, [hidden, table, bias, pointer])

    assert loss.item() == pytest.approx(plain.item(), abs=1e-5)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_target_that_was_drawn_is_not_counted_twice() -> None:
    hidden, table, bias = torch.randn(2, 4), torch.randn(5, 4), torch.zeros(5)
    targets = torch.tensor([0, 3])
    everything = Candidates(torch.arange(5), torch.zeros(5))
    whole = next_place_loss(hidden, (table, bias), targets)
    drawn = next_place_loss(hidden, (table, bias), targets, everything)
    assert drawn.item() == pytest.approx(whole.item(), abs=1e-5)


def test_candidates_are_the_popular_ones_and_a_sample_that_stands_for_the_rest() -> None:
    torch.manual_seed(0)
    popular = torch.arange(100).flip(0)
    drawn = draw_candidates(100, 20, popular, np.random.default_rng(0))
    assert drawn is not None
    assert drawn.places[:10].tolist() == list(range(99, 89, -1))
    assert len(set(drawn.places.tolist())) == 20
    assert drawn.log_weights.exp().sum().item() == pytest.approx(100, abs=1e-3)
    assert draw_candidates(100, 100, popular, np.random.default_rng(0)) is None


def test_nothing_pointed_at_leaves_the_vocabulary_alone() -> None:
    hidden, table, bias = torch.randn(3, 4), torch.randn(5, 4), torch.randn(5)
    targets = torch.tensor([0, 3, 4])
    plain = torch.nn.functional.cross_entropy(hidden @ table.T + bias, targets)
    ours = next_place_loss(hidden, (table, bias), targets, None, torch.full((3, 2), NEVER))
    assert ours.item() == pytest.approx(plain.item(), abs=1e-5)
