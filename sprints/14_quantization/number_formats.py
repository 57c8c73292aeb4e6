"""What do float32, float16 and bfloat16 keep of a number? Spacing, range, and sums of small updates that get lost.

    uv run sprints/14_quantization/number_formats.py

Theory: notes/03_number_formats.md
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.pretrained import load_causal_model

FORMATS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # model whose weights to update: cookbook, smollm2, a folder, or a name of the hub
    update: PositiveFloat = 1e-4  # size of the updates, about Adam's at this learning rate
    additions: PositiveInt = 10_000  # times to add 0.001
    repeats: AtLeastTwo = 200  # sums that are rounded at random


@dataclass(frozen=True)
class NumberFormat:
    exponent_bits: int
    mantissa_bits: int
    spacing_at_one: float
    largest: float
    smallest_normal: float
    smallest: float
    counts_to: int
    square_of_300: str
    sum_of_thousandths: float
    updates_lost: float


@dataclass(frozen=True)
class Results:
    formats: dict[str, NumberFormat]
    true_sum: float
    stochastic_sum: float
    stochastic_standard_error: float


def counts_to(kind: torch.dtype) -> int:
    """Return the first power of two to which adding 1 changes nothing."""
    number = torch.ones((), dtype=kind)
    while number + 1 != number:
        number = number * 2
    return int(number)


def repeated_sum(kind: torch.dtype, additions: int) -> float:
    """Return 0.001 added so many times in a format, rounding after each addition."""
    total, step = torch.zeros((), dtype=kind), torch.tensor(0.001, dtype=kind)
    for _ in range(additions):
        total = total + step
    return total.item()


def round_stochastically(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return float32 numbers as bfloat16: up or down at random, so that the mean over draws is the number.

    A bfloat16 is the upper half of a float32. A random number added to the lower half carries into the upper one with
    the right probability.
    """
    noise = torch.randint(1 << 16, x.shape, dtype=torch.int32, generator=generator)
    return ((x.view(torch.int32) + noise) & ~0xFFFF).view(torch.float32).to(torch.bfloat16)


def stochastic_sums(config: Config, generator: torch.Generator) -> Tensor:
    """Return the same sum in bfloat16, rounded at random after each addition, many times."""
    totals = torch.zeros(config.repeats, dtype=torch.bfloat16)
    for _ in range(config.additions):
        totals = round_stochastically(totals.float() + 0.001, generator)
    return totals.float()


def describe(kind: torch.dtype, config: Config, weights: Tensor, updates: Tensor) -> NumberFormat:
    about, rounded = torch.finfo(kind), weights.to(kind)
    mantissa = round(-math.log2(about.eps))
    return NumberFormat(
        exponent_bits=about.bits - 1 - mantissa,
        mantissa_bits=mantissa,
        spacing_at_one=about.eps,
        largest=about.max,
        smallest_normal=about.smallest_normal,
        smallest=about.smallest_normal * about.eps,
        counts_to=counts_to(kind),
        square_of_300=f"{(torch.tensor(300.0, dtype=kind) ** 2).item():,.0f}",
        sum_of_thousandths=repeated_sum(kind, config.additions),
        updates_lost=(rounded + updates.to(kind) == rounded).float().mean().item(),
    )


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    weights = torch.cat([weight.detach().flatten() for weight in load_causal_model(config.model)[0].parameters()])
    signs = 2 * torch.randint(2, weights.shape, generator=generator) - 1
    formats = {name: describe(kind, config, weights, config.update * signs) for name, kind in FORMATS.items()}
    sums = stochastic_sums(config, generator)
    error = sums.std().item() / config.repeats**0.5
    results = Results(formats, config.additions / 1000, sums.mean().item(), error)
    for name, kept in formats.items():
        print(f"{name:<10}{kept.exponent_bits} bits of exponent, {kept.mantissa_bits} of mantissa:", end=" ")
        print(f"spacing at 1 {kept.spacing_at_one:.1e}, from {kept.smallest:.1e} to {kept.largest:.1e};", end=" ")
        print(f"counts to {kept.counts_to:,}; 300 x 300 = {kept.square_of_300}")
        print(f"{'':<10}0.001 added {config.additions:,} times: {kept.sum_of_thousandths:.3f};", end=" ")
        print(f"loses {kept.updates_lost:.1%} of updates of {config.update:g}")
    print(f"in bfloat16, rounded at random: {results.stochastic_sum:.2f} +- {results.stochastic_standard_error:.2f}")
    return results


if __name__ == "__main__":
    run(main, Config)
