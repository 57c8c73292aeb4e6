"""A mixture of experts is its formula, and the balance loss is what its docstring says."""

import pytest
import torch
from torch.nn import functional

from shared.nn.mixture_of_experts import (
    MixtureOfExperts,
    Routing,
    balance_loss,
    balance_of_layer,
    pooled_balance_loss,
    recorded_routing,
    route,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("experts", "top_k"), [(4, 1), (4, 2), (3, 3), (1, 1)])
def test_is_the_weighted_sum_over_the_chosen_experts(experts: int, top_k: int, generator: torch.Generator):
    layer, x = MixtureOfExperts(6, 5, experts, top_k), torch.randn(2, 7, 6, generator=generator)
    found, expected = layer(x), torch.zeros_like(x)
    for batch in range(2):
        for token in range(7):
            scores = layer.router.weight @ x[batch, token]
            best = sorted(range(experts), key=lambda number: -scores[number].item())[:top_k]
            for number, weight in zip(best, scores[best].softmax(dim=0), strict=True):
                expected[batch, token] += weight * layer.experts[number](x[batch, token][None, None])[0, 0]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    gradients = [torch.autograd.grad(way.square().sum(), [*layer.parameters()], materialize_grads=True)
                 for way in (found, expected)]  # fmt: skip
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_token_is_routed_by_itself_alone(generator: torch.Generator):
    layer, x = MixtureOfExperts(6, 5, 4, 2), torch.randn(2, 7, 6, generator=generator)
    order = torch.randperm(7, generator=generator)
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(layer(x[:, :1]), layer(x)[:, :1], atol=1e-6, rtol=1e-5)


def even(tokens: int, experts: int, top_k: int) -> Routing:
    """Return a routing with even loads and even probabilities."""
    chosen = (torch.arange(tokens)[:, None] * top_k + torch.arange(top_k)) % experts
    return Routing(torch.zeros(tokens, experts), chosen, torch.full((tokens, top_k), 1 / top_k))


def collapsed(tokens: int, experts: int, onto: list[int]) -> Routing:
    """Return a routing that sends every token to the same experts, almost surely."""
    logits = torch.full((tokens, experts), -50.0)
    logits[:, onto] = 0
    return route(logits, len(onto))


@pytest.mark.parametrize(("experts", "top_k"), [(4, 1), (4, 2), (8, 2), (3, 3)])
def test_balance_has_the_value_top_k_and_collapse_the_number_of_experts(experts: int, top_k: int):
    assert balance_of_layer(even(24, experts, top_k)).item() == pytest.approx(top_k)
    assert balance_of_layer(collapsed(24, experts, [*range(top_k)])).item() == pytest.approx(experts)


def test_layers_that_complement_each_other_fool_the_pool_alone():
    layers = [collapsed(24, 4, [0, 1]), collapsed(24, 4, [2, 3])]
    assert balance_loss(layers).item() == pytest.approx(4)
    assert pooled_balance_loss(layers).item() == pytest.approx(2)


def test_the_pool_is_transformers_loss(generator: torch.Generator):
    from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

    real = torch.arange(7) < torch.tensor([7, 4])[:, None]
    logits = tuple(torch.randn(14, 5, generator=generator) for _ in range(3))
    layers = [route(each, 2) for each in logits]
    for given in (None, real):
        theirs = load_balancing_loss_func(logits, 5, 2, None if given is None else given.long())
        torch.testing.assert_close(pooled_balance_loss(layers, given), theirs)
    alone = load_balancing_loss_func(logits[:1], 5, 2, real.long())
    torch.testing.assert_close(balance_loss(layers[:1], real), alone)


def test_padding_does_not_count(generator: torch.Generator):
    real, logits = torch.tensor([[True] * 5 + [False] * 3]), torch.randn(8, 4, generator=generator)
    cut = balance_loss([route(logits[:5], 2)])
    torch.testing.assert_close(balance_loss([route(logits, 2)], real), cut)
    assert balance_loss([route(logits, 2)]) != cut


def test_the_gradient_pushes_the_loaded_expert_down():
    logits = torch.tensor([[1.0, 0.0]] * 3 + [[0.0, 1.0]], requires_grad=True)
    balance_of_layer(route(logits, 1)).backward()
    assert logits.grad is not None
    assert (logits.grad[:, 0] > 0).all()
    assert (logits.grad[:, 1] < 0).all()


def test_recording_ends_and_changes_nothing(generator: torch.Generator):
    layer, x = MixtureOfExperts(6, 5, 4, 2), torch.randn(2, 3, 6, generator=generator)
    with recorded_routing(layer) as routing:
        inside = layer(x)
    assert torch.equal(layer(x), inside)
    assert len(routing) == 1
    assert torch.equal(routing[0].logits, functional.linear(x.flatten(0, 1), layer.router.weight))


@pytest.mark.parametrize("top_k", [0, 5])
def test_errors(top_k: int):
    with pytest.raises(ValueError, match=f"at most to all of them; got top_k={top_k} of experts=4: give"):
        MixtureOfExperts(6, 5, 4, top_k)
    with pytest.raises(ValueError, match="got 3 rows of padding"):
        balance_of_layer(even(3, 4, 2), torch.zeros(3, dtype=torch.bool))
    for loss in (balance_loss, pooled_balance_loss):
        with pytest.raises(ValueError, match="no layer has experts"):
            loss([])
