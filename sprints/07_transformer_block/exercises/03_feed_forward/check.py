"""Checks of `gelu` and `feed_forward`: beside PyTorch's, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

NUMBERS = torch.tensor([-3.0, -1, -0.5, 0, 0.5, 1, 3])


def below(x: Tensor) -> Tensor:
    return 0.5 * (1 + (x / math.sqrt(2)).erf())


def check_gelu(learner: Any) -> None:
    """GELU of a few numbers."""
    x = NUMBERS
    mistakes = {
        "This is ReLU.": x.relu(),
        "This is the probability alone; it must be multiplied by x.": below(x),
        "This is x times the sigmoid, which is called SiLU.": functional.silu(x),
        "This is x times the sigmoid of 1.702 x, a rough approximation.": x * (1.702 * x).sigmoid(),
        "The root of 2 is missing within erf.": x * 0.5 * (1 + x.erf()),
        "The factor of a half is missing.": 2 * x * below(x),
        "x is multiplied by the density, the bell curve; it must be the probability below x.": (
            x * (-(x**2) / 2).exp() / math.sqrt(2 * math.pi)
        ),
        "This is x times erf(x / root of 2): 1 must be added, and the sum halved.": x * (x / math.sqrt(2)).erf(),
        "This is x times the probability ABOVE x.": x * (1 - below(x)),
    }
    expect(learner.gelu, {"x": x}, functional.gelu(x), mistakes, tolerance=1e-5)


def check_gelu_keeps_the_shape(learner: Any) -> None:
    """GELU of a matrix, entry by entry."""
    x = torch.tensor([[1.0, -1, 2], [0, 0.25, -4]])
    expect(learner.gelu, {"x": x}, functional.gelu(x), {"This is ReLU.": x.relu()}, tolerance=1e-5)


def compare(learner: Any, x: Tensor, expand: Tensor, expand_bias: Tensor, contract: Tensor, bias: Tensor) -> None:
    given = {"x": x, "expand": expand, "expand_bias": expand_bias, "contract": contract, "contract_bias": bias}
    before = x @ expand + expand_bias
    hidden = functional.gelu(before)
    mistakes = {
        "There is no activation between the two products.": before @ contract + bias,
        "The activation is ReLU; here it is GELU.": before.relu() @ contract + bias,
        "GELU comes after the second product; it must stand between the two.": functional.gelu(
            before @ contract + bias
        ),
        "There is an activation behind the second product, too.": functional.gelu(hidden @ contract + bias),
        "The bias of the first product is missing, or comes after GELU.": functional.gelu(x @ expand) @ contract + bias,
        "The bias of the first product is added after GELU.": (functional.gelu(x @ expand) + expand_bias) @ contract
        + bias,
        "The bias of the second product is missing.": hidden @ contract,
        "x is added to the result. That is the residual connection, which is the block's work.": x
        + hidden @ contract
        + bias,
    }
    expect(learner.feed_forward, given, hidden @ contract + bias, mistakes)


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def check_one_token(learner: Any) -> None:
    """One token of two features, two neurons."""
    x, expand, contract = torch.tensor([[[1.0, -1]]]), torch.eye(2), torch.tensor([[0.0, 5], [2, 0]])
    compare(learner, x, expand, torch.tensor([0.0, 0.5]), contract, torch.tensor([1.0, 0]))


def check_a_batch(learner: Any) -> None:
    """Two texts of three tokens, eight neurons."""
    compare(learner, draw(2, 3, 4), draw(4, 8), draw(8), draw(8, 4), draw(4))
