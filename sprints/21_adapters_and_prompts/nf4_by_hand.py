"""How does a block of weights become four bits each? Eight weights, every number of them.

    uv run sprints/21_adapters_and_prompts/nf4_by_hand.py
    uv run sprints/21_adapters_and_prompts/nf4_by_hand.py --weights 0.1 0.1 0.1 0.1 -0.1 0.1 0.1 8

Theory: notes/04_a_base_in_four_bits.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from adaptation.four_bits import LEVELS, nearest, pack, to_four_bits
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

Weights = Annotated[tuple[float, ...], Field(min_length=8, max_length=8)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    weights: Weights = (0.30, -0.12, 0.05, -0.60, 0.01, 0.22, -0.31, 0.45)  # one block

    def check(self) -> None:
        if not any(self.weights):
            raise ValueError("a block of zeros has no largest weight to divide by: give one that is not 0")


@dataclass(frozen=True)
class Results:
    weights: list[float]
    constant: float
    units: list[float]
    codes: list[int]
    packed: list[int]
    levels: list[float]
    back: list[float]
    even: list[float]
    squared_error: float
    even_squared_error: float


def main(config: Config) -> Results:
    weights, levels = torch.tensor(config.weights), LEVELS["nf4"]
    constant = weights.abs().max()
    units = weights / constant  # from -1 to 1
    codes = nearest(units, levels)
    back = levels[codes] * constant
    even = to_four_bits(weights[None], len(weights), double=False, levels=LEVELS["int4"]).numbers()[0]
    print(f"the largest absolute weight is {constant:g}; divided by it: {_shown(units)}")
    print(f"nearest levels: {_shown(levels[codes])}, numbers {codes.tolist()}, bytes {pack(codes).tolist()}")
    for name, numbers in (("NF4", back), ("even steps", even)):
        print(f"{name} gives back {_shown(numbers)}: squared error {(numbers - weights).square().sum():.5f}")
    return Results(
        weights=weights.tolist(),
        constant=constant.item(),
        units=units.tolist(),
        codes=codes.tolist(),
        packed=pack(codes).tolist(),
        levels=levels.tolist(),
        back=back.tolist(),
        even=even.tolist(),
        squared_error=(back - weights).square().sum().item(),
        even_squared_error=(even - weights).square().sum().item(),
    )


def _shown(numbers: torch.Tensor) -> str:
    return " ".join(f"{number:.3f}" for number in numbers.tolist())


def plot(results: Results) -> Figure:
    """Draw the density of a Gaussian over both sets of levels, and the block on its way to the levels of NF4."""
    figure, axes = new_figure(8.6, 4.4)
    x = torch.linspace(-1.15, 1.15, 400)
    density = (-0.5 * (x * 1.848).square()).exp()  # a Gaussian whose 0.9677 quantile is at 1
    axes.fill_between(x, 2.35, 2.35 + 0.9 * density, color=COLOURS[5], alpha=0.35)
    axes.text(-1.15, 3.1, "how weights lie,\nif they are Gaussian", fontsize=9, va="center")
    rows = ((2.2, LEVELS["int4"].tolist(), "int4", COLOURS[1]), (1.5, results.levels, "NF4", COLOURS[2]))
    for y, levels, name, colour in rows:
        axes.plot(levels, [y] * len(levels), "|", markersize=18, markeredgewidth=2, color=colour)
        axes.text(1.2, y, name, color=colour, va="center", fontweight="bold")
    for number, level in enumerate(results.levels):
        axes.text(level, 1.76, str(number), ha="center", fontsize=7.5, color=COLOURS[2])
    for unit, code in zip(results.units, results.codes, strict=True):
        axes.plot([unit, results.levels[code]], [0.55, 1.35], color="#777777", linewidth=1)
        axes.plot(unit, 0.5, "o", color="black", markersize=5)
    axes.text(1.2, 0.5, "the block", va="center", fontweight="bold")
    axes.set(xlabel=f"weight / {results.constant:g}", xlim=(-1.2, 1.45), ylim=(0.2, 3.4), yticks=[])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
