"""Muon in float32, beside PyTorch's own."""

import copy

import pytest
import torch
from torch import nn, optim

from shared.training import muon

COEFFICIENTS = (3.4445, -4.775, 2.0315)


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this processor one that only emulates bfloat16."""
    monkeypatch.setattr(muon, "supports_bfloat16", lambda _: False)


def layers(count: int = 2) -> list[nn.Linear]:
    torch.manual_seed(0)
    made = [nn.Linear(24, 40, bias=False) for _ in range(count)]
    for layer in made[1:]:
        layer.load_state_dict(made[0].state_dict())
    return made


def train(layer: nn.Linear, optimizer: optim.Optimizer, steps: int, seed: int = 1) -> None:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        inputs, targets = torch.randn(32, 24, generator=generator), torch.randn(32, 40, generator=generator)
        optimizer.zero_grad()
        (layer(inputs) - targets).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("shape", [(8, 8), (30, 12), (12, 30)])
def test_singular_values_end_near_one_and_vectors_stay(shape: tuple[int, int]):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    result = muon.orthogonalise(matrix, COEFFICIENTS, 5, 1e-7)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inside = left.mT @ result @ right.mT
    torch.testing.assert_close(inside, torch.diag(inside.diagonal()), atol=1e-4, rtol=0.0)


def test_it_is_the_iteration_of_pytorch():
    from torch.optim._muon import _zeropower_via_newtonschulz

    matrix = torch.randn(30, 12, generator=torch.Generator().manual_seed(0))
    theirs = _zeropower_via_newtonschulz(matrix, COEFFICIENTS, 5, 1e-7).float()
    torch.testing.assert_close(muon.orthogonalise(matrix, COEFFICIENTS, 5, 1e-7), theirs, atol=0.03, rtol=0.0)
    rounded = muon.orthogonalise(matrix.bfloat16(), COEFFICIENTS, 5, 1e-7).float()
    torch.testing.assert_close(rounded, theirs, atol=0.01, rtol=0.0)


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("settings", [{}, {"nesterov": False}, {"weight_decay": 0.5}, {"momentum": 0.5}])
@pytest.mark.parametrize("rule", [None, "match_rms_adamw", "spectral_unclamped"])
def test_steps_are_those_of_pytorch_up_to_rounding(settings: dict, rule: str | None):
    one, other = layers()
    start = one.weight.detach().clone()
    train(one, muon.Muon(one.parameters(), lr=0.02, adjust_lr_fn=rule, **settings), 5)
    train(other, optim.Muon(other.parameters(), lr=0.02, adjust_lr_fn=rule, **settings), 5)
    moved, expected = one.weight - start, other.weight - start
    assert (moved - expected).norm() < 0.02 * expected.norm()


def test_where_bfloat16_is_multiplied_it_is_pytorchs_bit_for_bit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(muon, "supports_bfloat16", lambda _: True)
    one, other = layers()
    train(one, muon.Muon(one.parameters(), lr=0.02), 3)
    train(other, optim.Muon(other.parameters(), lr=0.02), 3)
    assert torch.equal(one.weight, other.weight)


@pytest.mark.usefixtures("emulated")
def test_states_are_exchanged_with_pytorch():
    one, other = layers()
    ours, theirs = muon.Muon(one.parameters(), lr=0.02), optim.Muon(other.parameters(), lr=0.02)
    train(other, theirs, 3)
    one.load_state_dict(other.state_dict())
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
    start = one.weight.detach().clone()
    train(one, ours, 1, seed=2)
    train(other, theirs, 1, seed=2)
    assert (one.weight - other.weight).norm() < 0.02 * (one.weight - start).norm()


@pytest.mark.usefixtures("emulated")
def test_a_weight_without_a_gradient_stays_and_a_closure_is_called():
    one, other = layers()
    optimizer = muon.Muon([one.weight, other.weight], lr=0.02)
    before = other.weight.detach().clone()

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = one(torch.ones(1, 24)).square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) > 0
    assert torch.equal(other.weight, before)
    assert not torch.equal(one.weight, before)
