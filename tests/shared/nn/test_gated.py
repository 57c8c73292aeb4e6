"""Gated feed-forward networks: PyTorch's activations, and the SwiGLU of `Llama`."""

import pytest
import torch
from torch.nn import functional

from shared.nn.gated import GatedFeedForward
from shared.nn.llama import SwiGLU


def test_with_silu_it_is_the_network_of_llama():
    x, ours, llama = torch.randn(2, 3, 6), GatedFeedForward(6, 10), SwiGLU(6, 10)
    ours.load_state_dict(llama.state_dict())
    assert torch.equal(ours(x), llama(x))


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu"])
def test_equals_its_formula_with_biases(activation: str):
    network, x = GatedFeedForward(6, 10, activation, bias=True), torch.randn(2, 3, 6)
    gate = network.gate(x)
    passed = {
        "gelu": functional.gelu(gate),
        "relu": gate.relu(),
        "gelu_tanh": functional.gelu(gate, approximate="tanh"),
    }
    torch.testing.assert_close(network(x), network.contract(passed[activation] * network.expand(x)))
    assert network.gate.bias is not None


def test_a_closed_gate_lets_nothing_pass_and_each_token_is_on_its_own():
    network, x = GatedFeedForward(4, 6), torch.randn(1, 5, 4)
    torch.testing.assert_close(network(x)[:, 2:3], network(x[:, 2:3]))
    torch.nn.init.zeros_(network.gate.weight)
    assert not network(x).any()


@pytest.mark.usefixtures("unchecked")
def test_unknown_activation():
    with pytest.raises(ValueError, match="silu, relu, gelu, gelu_tanh; got 'swish'"):
        GatedFeedForward(4, 6, "swish")
