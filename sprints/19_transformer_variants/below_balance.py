"""Is the balance loss smallest where the experts are balanced? No: with idle experts it can be far smaller.

    uv run sprints/19_transformer_variants/below_balance.py

Each token goes to the one expert that it likes a hair more than some idle ones. Then one step of gradient descent is
taken. Theory: the last section of notes/14_experts.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.mixture_of_experts import balance_of_layer, route


@dataclass(frozen=True)
class Config(ScriptConfig):
    experts: Annotated[tuple[AtLeastTwo, ...], Different] = (4, 8, 64)  # experts of the layer
    tokens_each: PositiveInt = 60  # tokens for each expert that works
    hair: PositiveFloat = 1e-3  # by how much a token prefers its expert in the logits
    rate: PositiveFloat = 2.0  # size of the step of gradient descent


@dataclass(frozen=True)
class Case:
    """Experts that get no token, the loss there and by its formula, and both after one step of descent."""

    idle: int
    loss: float
    formula: float
    idle_after: int
    loss_after: float


@dataclass(frozen=True)
class Results:
    two_experts: float
    cases: dict[str, Case]


def below(experts: int, idle: int, tokens_each: int, hair: float) -> Tensor:
    """Return logits by which each token goes to one of the working experts and likes the idle ones nearly as much."""
    working = experts - idle
    logits = torch.full((working * tokens_each, experts), -50.0)
    logits[:, working:] = 0.0
    rows = torch.arange(working * tokens_each)
    logits[rows, rows % working] = hair
    return logits


def idle_of(logits: Tensor) -> int:
    return logits.shape[1] - len(route(logits, 1).chosen.unique())


def step(logits: Tensor, rate: float) -> Tensor:
    """Return the logits after one step of gradient descent on the loss, of the sum over tokens."""
    leaf = logits.clone().requires_grad_()
    (len(leaf) * balance_of_layer(route(leaf, 1))).backward()
    assert leaf.grad is not None
    return logits - rate * leaf.grad


def two_experts(tokens: int, hair: float) -> float:
    """Return the smallest loss of two experts over the share of tokens that like the first one a hair more."""
    losses = []
    for first in range(tokens + 1):
        logits = torch.zeros(tokens, 2)
        logits[:first, 0] = hair
        logits[first:, 1] = 50.0
        losses.append(balance_of_layer(route(logits, 1)).item())
    return min(losses)


def main(config: Config) -> Results:
    smallest = two_experts(200, config.hair)
    print(f"two experts, tokens that like the first a hair more beside such as are sure of the second: {smallest:.3f}")
    cases = {}
    for experts in config.experts:
        idle = experts // 2
        logits = below(experts, idle, config.tokens_each, config.hair)
        after = step(logits, config.rate)
        formula = experts / ((experts - idle) * (idle + 1))
        losses = [balance_of_layer(route(each, 1)).item() for each in (logits, after)]
        cases[str(experts)] = case = Case(idle, losses[0], formula, idle_of(after), losses[1])
        print(f"{experts} experts, {case.idle} idle: loss {case.loss:.3f}, by formula {case.formula:.3f}; ", end="")
        print(f"after one step {case.idle_after} idle, loss {case.loss_after:.3f}")
    return Results(smallest, cases)


if __name__ == "__main__":
    run(main, Config)
