"""Gated feed-forward networks: one half of the hidden layer decides what passes of the other (Shazeer 2020).

With SiLU in the gate it is SwiGLU (Llama, Qwen, Mistral), with GELU it is GeGLU (Gemma, ModernBERT).
"""

from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.blocks import ACTIVATIONS

GateActivation = Literal["silu", "gelu", "gelu_tanh", "relu"]
GATES: dict[str, Callable[[Tensor], Tensor]] = {"silu": functional.silu} | ACTIVATIONS


class GatedFeedForward(nn.Module):
    """contract(activation(gate(x)) * expand(x)) (Shazeer 2020, equation 6).

    It has three matrices where `shared.nn.blocks.FeedForward` has two: with 2/3 as many hidden features both have
    equally many weights.

    Args:
        d_model: features of each token.
        d_hidden: features between the layers.
        activation: of the gate: "silu", "gelu", "gelu_tanh" or "relu".
        bias: whether the matrices add one.

    Raises:
        ValueError: an unknown activation.
    """

    def __init__(self, d_model: int, d_hidden: int, activation: GateActivation = "silu", bias: bool = False) -> None:
        super().__init__()
        if activation not in GATES:
            raise ValueError(f"the activation of a gate must be one of {', '.join(GATES)}; got {activation!r}")
        self.gate = nn.Linear(d_model, d_hidden, bias=bias)
        self.expand = nn.Linear(d_model, d_hidden, bias=bias)
        self.contract = nn.Linear(d_hidden, d_model, bias=bias)
        self.activation = GATES[activation]

    def forward(self, x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """Return the network's output for each token on its own."""
        return self.contract(self.activation(self.gate(x)) * self.expand(x))
