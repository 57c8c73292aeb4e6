"""What is quantization? Seven numbers, and the grid of eight points that they move to.

    uv run sprints/14_quantization/number_line.py
    uv run sprints/14_quantization/number_line.py --bits 4

Theory: notes/01_a_grid_of_integers.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.integer_grid import Grid, dequantize, make_grid, quantize


@dataclass(frozen=True)
class Config(ScriptConfig):
    numbers: tuple[float, ...] = (-0.5, -0.1, 0.2, 0.6, 1.0, 1.25, 2.0)  # what is quantized
    low: float = -0.5  # least number that the grid is to cover
    high: float = 1.25  # greatest number that the grid is to cover
    bits: Annotated[int, Field(ge=2, le=5)] = 3  # size of the integers; with more the drawing would be full

    def check(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"a range goes from low to high; got --low {self.low:g} and --high {self.high:g}")


@dataclass(frozen=True)
class Line:
    scale: float
    zero_point: int
    points: list[float]
    point_integers: list[int]
    integers: list[int]
    back: list[float]


@dataclass(frozen=True)
class Results:
    numbers: list[float]
    lines: dict[str, Line]


def on_line(numbers: torch.Tensor, grid: Grid) -> Line:
    """Return where a grid lies, and where numbers move on it."""
    all_integers = torch.arange(grid.lowest, grid.highest + 1).float()
    integers = quantize(numbers, grid)
    return Line(
        scale=grid.scale.item(),
        zero_point=int(grid.zero_point),
        points=dequantize(all_integers, grid).tolist(),
        point_integers=all_integers.int().tolist(),
        integers=integers.int().tolist(),
        back=dequantize(integers, grid).tolist(),
    )


def main(config: Config) -> Results:
    numbers, low, high = torch.tensor(config.numbers), torch.tensor(config.low), torch.tensor(config.high)
    lines = {}
    for name, symmetric in (("affine", False), ("symmetric", True)):
        lines[name] = on_line(numbers, make_grid(low, high, config.bits, symmetric=symmetric))
        print(f"{name}: a step of {lines[name].scale:.3f}, zero is the integer {lines[name].zero_point}")
        for number, integer, back in zip(config.numbers, lines[name].integers, lines[name].back, strict=True):
            print(f"  {number:6.2f} -> {integer:3d} -> {back:6.3f}, off by {back - number:+.3f}")
    return Results(list(config.numbers), lines)


def plot(results: Results) -> Figure:
    """Draw both grids on the number line, and an arrow from each number to its point."""
    figure, axes = drawings.canvas(9.6, 4.2)
    ends = [*results.numbers, *(point for line in results.lines.values() for point in line.points)]
    least, width = min(ends), max(ends) - min(ends)

    def across(number: float) -> float:
        return 1.25 + 8.0 * (number - least) / width

    for index, (name, line) in enumerate(results.lines.items()):
        y = 2.65 - 2.1 * index
        drawings.text(axes, name, 0.5, y, bold=True)
        axes.plot([1.1, 9.45], [y, y], color="#444444", linewidth=1, zorder=0)
        for point, integer in zip(line.points, line.point_integers, strict=True):
            zero = integer == line.zero_point
            axes.plot(across(point), y, "o", color=drawings.KEY if zero else drawings.TOKEN, markersize=7)
            drawings.text(axes, str(integer), across(point), y - 0.2, bold=True)
            drawings.text(axes, f"{point:.2f}", across(point), y - 0.4, size=7.5)
        for number, back in zip(results.numbers, line.back, strict=True):
            axes.plot(across(number), y + 0.75, "o", color=drawings.QUERY, markersize=6)
            drawings.text(axes, f"{number:g}", across(number), y + 0.95)
            drawings.arrow(axes, (across(number), y + 0.7), (across(back), y + 0.06))
    drawings.text(axes, "blue: the numbers · grey: points of the grid, integer and value · orange: zero", 4.8, 4.05)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
