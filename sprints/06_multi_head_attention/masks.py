"""What does a query get that may look nowhere?

    uv run sprints/06_multi_head_attention/masks.py

Four treatments of such a query: what comes out, whether what is hidden moves it, and what gradients it leaves.
meaning_of_true.py asks what True means in the masks of each library. Theory: notes/04_masks.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import attend

# Takes queries, keys, values (tokens, d_model) and a mask (tokens, tokens).
Attention = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Large = Annotated[float, Field(ge=-3e38, lt=0)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: AtLeastTwo = 8  # tokens of a row
    d_model: PositiveInt = 16  # features of a token
    large: Large = -1e9  # the finite number that stands for minus infinity in one treatment


@dataclass(frozen=True)
class Treatment:
    """What a query that may look nowhere gets, and what its loss and the loss of the other queries pass back."""

    output: str
    moved_by_hidden: bool
    finite_gradient: bool
    finite_gradient_if_unused: bool


@dataclass(frozen=True)
class Results:
    treatments: dict[str, Treatment]


def fill_with(number: float) -> Attention:
    """Return the attention that sets hidden scores to a number."""

    def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        return scores.masked_fill(~mask, number).softmax(dim=-1) @ value

    return attention


def zeros(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Return what `attend` does, on tensors without axes for batch and heads."""
    return attend(query[None, None], key[None, None], value[None, None], mask)[0][0, 0]


def try_treatment(attention: Attention, config: Config, generator: torch.Generator) -> Treatment:
    """Hide all keys from query 0, and look at its output and at the gradients."""
    tensors = [torch.randn(config.tokens, config.d_model, generator=generator) for _ in range(3)]
    query, key, value = (tensor.requires_grad_() for tensor in tensors)
    mask = torch.ones(config.tokens, config.tokens, dtype=torch.bool)
    mask[0] = False
    output = attention(query, key, value, mask)
    moved = attention(query, key, value + 1, mask)[0] - output[0]
    whole = torch.autograd.grad(output.square().sum(), (query, key, value), retain_graph=True)
    rest = torch.autograd.grad(output[1:].square().sum(), (query, key, value))
    averaged = torch.allclose(output[0], value.mean(dim=0), atol=1e-5)
    return Treatment(
        output="NaN" if output[0].isnan().any() else "the mean of all values" if averaged else "zeros",
        moved_by_hidden=bool((moved.abs() > 0).any()),
        finite_gradient=all(bool(gradient.isfinite().all()) for gradient in whole),
        finite_gradient_if_unused=all(bool(gradient.isfinite().all()) for gradient in rest),
    )


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    infinite = fill_with(-math.inf)
    kinds: dict[str, Attention] = {
        "minus infinity": infinite,
        "minus infinity, nan_to_num of the output": lambda *tensors: infinite(*tensors).nan_to_num(),
        "a large negative number": fill_with(config.large),
        "zeros, ours": zeros,
    }
    treatments = {name: try_treatment(attention, config, generator) for name, attention in kinds.items()}
    for name, treatment in treatments.items():
        print(f"{name:<45}{treatment}")
    return Results(treatments)


if __name__ == "__main__":
    run(main, Config)
