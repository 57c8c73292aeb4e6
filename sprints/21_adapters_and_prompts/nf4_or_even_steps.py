"""Sixteen levels where a Gaussian has its quantiles, or sixteen even steps: which lose less of a weight?

    uv run sprints/21_adapters_and_prompts/nf4_or_even_steps.py
    uv run sprints/21_adapters_and_prompts/nf4_or_even_steps.py --blocks 64 --model smollm2

The same blocks of Gaussian numbers, and of a model's linear layers, are rounded both ways, and to the levels that
Lloyd's algorithm finds best for Gaussian blocks. Theory: notes/04_a_base_in_four_bits.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor

from adaptation.adapted_layer import linear_targets
from adaptation.four_bits import LEVELS, nearest
from adaptation.places import places_of
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, Even, PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED, load_causal_model

NAMES = {"nf4": "NF4", "int4": "even steps", "lloyd": "Lloyd's levels"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # whose linear layers are rounded
    blocks: Annotated[tuple[Even, ...], Different] = (16, 32, 64, 128, 256, 1024)  # numbers that share a constant
    numbers: PositiveInt = 2**18  # Gaussian numbers of a draw
    rounds: PositiveInt = 60  # of Lloyd's algorithm
    draws: PositiveInt = 5  # of Gaussian numbers


@dataclass(frozen=True)
class Lost:
    """The squared error as a share of the squares, and how many bits of information a code carries."""

    gaussian: MeanInterval
    model: float
    bits: float


@dataclass(frozen=True)
class Results:
    kurtosis: float
    matrices: int
    blocks: dict[str, dict[str, Lost]]


def in_units(numbers: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """Return numbers divided by the largest of their block, (blocks, block), and these largest ones, (blocks, 1)."""
    rows = numbers[: len(numbers) // block * block].unflatten(0, (-1, block))
    constants = rows.abs().amax(dim=1, keepdim=True)
    return rows / constants, constants


def error(numbers: Tensor, block: int, levels: Tensor) -> float:
    """Return the squared error of rounding in blocks, as a share of the squares."""
    units, constants = in_units(numbers, block)
    lost = (levels[nearest(units, levels)] - units) * constants
    return (lost.square().sum() / (units * constants).square().sum()).item()


def lloyd(numbers: Tensor, block: int, rounds: int) -> Tensor:
    """Return 16 levels with less and less squared error: each moves to the mean of the numbers that are nearest to it.

    Numbers count with the square of their block's constant, as their errors do.
    """
    units, constants = in_units(numbers, block)
    x, weight = units.flatten(), constants.square().expand_as(units).flatten()
    levels = LEVELS["nf4"].clone()
    for _ in range(rounds):
        codes = nearest(x, levels)
        total = torch.zeros(16).index_add(0, codes, weight)
        levels = torch.where(total > 0, torch.zeros(16).index_add(0, codes, weight * x) / total, levels)
    return levels


def entropy(numbers: Tensor, block: int, levels: Tensor) -> float:
    """Return how many bits of information a code carries: 4 if all 16 are equally frequent."""
    units, _ = in_units(numbers, block)
    shares = torch.bincount(nearest(units, levels).flatten(), minlength=16) / units.numel()
    return -sum(share * math.log2(share) for share in shares.tolist() if share > 0)


def main(config: Config) -> Results:
    model, _ = load_causal_model(config.model)
    matrices = [
        layer.get_parameter("weight").detach() for layer in linear_targets(model, places_of(model).linear).values()
    ]
    weights = torch.cat([matrix.flatten() for matrix in matrices])
    generator = torch.Generator().manual_seed(config.seed)
    draws = [torch.randn(config.numbers, generator=generator) for _ in range(config.draws)]
    found: dict[str, dict[str, Lost]] = {}
    for block in config.blocks:
        fitted = torch.randn(config.numbers, generator=generator)  # draws of its own
        kinds = {**LEVELS, "lloyd": lloyd(fitted, block, config.rounds)}
        found[str(block)] = {}
        for name, levels in kinds.items():
            of_draws = mean_interval([error(numbers, block, levels) for numbers in draws])
            lost = Lost(of_draws, error(weights, block, levels), entropy(draws[0], block, levels))
            found[str(block)][name] = lost
            print(
                f"blocks of {block}, {NAMES[name]}: Gaussian {show_interval(*of_draws, '.5f')}, model {lost.model:.5f}"
            )
    standard = [(matrix - matrix.mean()) / matrix.std() for matrix in matrices]
    kurtosis = torch.cat([matrix.flatten() for matrix in standard]).pow(4).mean().item()
    return Results(kurtosis, len(matrices), found)


def plot(results: Results) -> Figure:
    """Draw the error over the size of the blocks, Gaussian numbers on the left, the model's on the right."""
    figure, panels = new_figure(8.6, 3.9, columns=2)
    blocks = [int(block) for block in results.blocks]
    for axes, part in zip(panels, ("gaussian", "model"), strict=True):
        for index, (kind, name) in enumerate(NAMES.items()):
            values = [getattr(row[kind], part) for row in results.blocks.values()]
            means = [100 * (value[0] if part == "gaussian" else value) for value in values]
            axes.plot(blocks, means, marker="o", color=f"C{index}")
            axes.text(blocks[-1] * 1.15, means[-1], name, color=f"C{index}", va="center", fontsize=9)
        axes.set(xscale="log", xlabel="numbers in a block", ylim=(0, None), xlim=(None, blocks[-1] * 6))
        axes.set_xticks(blocks, [str(block) for block in blocks], fontsize=8)
        axes.minorticks_off()
    panels[0].set(title="Gaussian numbers", ylabel="squared error, % of the squares")
    panels[1].set(title="the model's linear layers")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
