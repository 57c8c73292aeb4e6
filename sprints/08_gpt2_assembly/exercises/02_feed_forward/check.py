"""Checks of `gelu` and `feed_forward`: beside PyTorch's own, and the usual mistakes by name."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

# GELU and its approximation by tanh differ by less than 0.0005.
TOLERANCE = 1e-5


def gelu(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "This is ReLU.": functional.relu,
    "This is GELU itself. GPT-2 approximates it by tanh, and trained weights expect that.": functional.gelu,
    "This is x sigmoid(1.702 x), another approximation of GELU.": lambda x: x * (1.702 * x).sigmoid(),
    "This is SiLU, x sigmoid(x).": functional.silu,
    "The cubic term is missing.": lambda x: 0.5 * x * (1 + (math.sqrt(2 / math.pi) * x).tanh()),
    "The factor sqrt(2 / pi) is missing.": lambda x: 0.5 * x * (1 + (x + 0.044715 * x**3).tanh()),
    "The factor sqrt(2 / pi) stands before x alone; it multiplies the cubic term as well.": (
        lambda x: 0.5 * x * (1 + (math.sqrt(2 / math.pi) * x + 0.044715 * x**3).tanh())
    ),
    "The factor 0.5 is missing.": lambda x: 2 * gelu(x),
    "It is 2 / pi without the root.": lambda x: 0.5 * x * (1 + (2 / math.pi * (x + 0.044715 * x**3)).tanh()),
}


def compare_gelu(learner: Any, x: Tensor) -> None:
    expect(learner.gelu, {"x": x}, gelu(x), {sentence: other(x) for sentence, other in OTHERS.items()}, TOLERANCE)


def compare(learner: Any, tokens: int, d_model: int, d_hidden: int) -> None:
    generator = torch.Generator().manual_seed(tokens)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).mul(10).round().div(10)

    x, up, up_bias, down, down_bias = (
        draw(1, tokens, d_model), draw(d_model, d_hidden), draw(d_hidden), draw(d_hidden, d_model), draw(d_model),
    )  # fmt: skip
    inner = x @ up + up_bias
    mistakes = {
        "There is nothing between the two products: two linear maps are one linear map.": inner @ down + down_bias,
        "The biases are missing.": gelu(x @ up) @ down,
        "The bias of the first layer is missing.": gelu(x @ up) @ down + down_bias,
        "The bias of the second layer is missing.": gelu(inner) @ down,
        "GELU comes once more, after the second layer.": gelu(gelu(inner) @ down + down_bias),
        "GELU comes after the second layer; it belongs between the two.": gelu(inner @ down + down_bias),
        "The first bias comes after GELU; it belongs inside.": (gelu(x @ up) + up_bias) @ down + down_bias,
        "The input is added. That is done by the block, not here.": x + gelu(inner) @ down + down_bias,
    }
    mistakes |= {sentence: other(inner) @ down + down_bias for sentence, other in OTHERS.items()}
    names = ("x", "expand_weight", "expand_bias", "contract_weight", "contract_bias")
    given = dict(zip(names, (x, up, up_bias, down, down_bias), strict=True))
    expect(learner.feed_forward, given, gelu(inner) @ down + down_bias, mistakes, TOLERANCE)


def check_gelu(learner: Any) -> None:
    """GELU from -3 to 3."""
    compare_gelu(learner, torch.arange(-3.0, 3.5, 0.5))


def check_gelu_of_large_numbers(learner: Any) -> None:
    """Far from zero GELU is 0, or x itself."""
    compare_gelu(learner, torch.tensor([[-50.0, 50.0]]))


def check_one_token(learner: Any) -> None:
    """One token of two features, four hidden ones."""
    compare(learner, 1, 2, 4)


def check_tokens_stay_apart(learner: Any) -> None:
    """Three tokens, each on its own."""
    compare(learner, 3, 4, 16)
