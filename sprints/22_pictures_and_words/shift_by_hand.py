"""What changes when a picture moves by one pixel? A line of eight pixels, read by a convolution and by patches.

    uv run sprints/22_pictures_and_words/shift_by_hand.py
    uv run sprints/22_pictures_and_words/shift_by_hand.py --by 2

The map of a convolution moves as well, and its mean stays. The patches become other patches. Theory:
notes/02_how_much_data.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.run import run

LINE = (0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
EDGE = (-1.0, 1.0)  # right minus left
PATCH = 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    by: Literal[1, 2, 3, 4] = 1  # pixels by which the line is moved to the right


@dataclass(frozen=True)
class Read:
    """One line, as both read it."""

    line: list[float]
    convolved: list[float]
    mean: float  # of what is left of the map behind ReLU
    tokens: list[list[float]]  # mean and right minus left of each patch
    mean_of_tokens: float  # of right minus left behind ReLU


@dataclass(frozen=True)
class Results:
    before: Read
    moved: Read


def read(line: Tensor) -> Read:
    convolved = functional.conv1d(line.view(1, 1, -1), torch.tensor(EDGE).view(1, 1, 2))[0, 0]
    patches = line.unflatten(0, (-1, PATCH))  # (4, 2)
    tokens = patches @ torch.tensor([(0.5, 0.5), EDGE]).mT
    return Read(
        line.tolist(),
        convolved.tolist(),
        convolved.relu().mean().item(),
        tokens.tolist(),
        tokens[:, 1].relu().mean().item(),
    )


def main(config: Config) -> Results:
    line = torch.tensor(LINE)
    before, moved = read(line), read(line.roll(config.by))
    for name, found in (("before", before), (f"moved by {config.by}", moved)):
        print(f"{name}: line {found.line}")
        print(f"  convolution {found.convolved}, behind ReLU a mean of {found.mean:.3f}")
        print(f"  patches {found.tokens}, right minus left behind ReLU a mean of {found.mean_of_tokens:.3f}")
    return Results(before, moved)


def plot(results: Results) -> Figure:
    """Draw the line before and behind the move, the map of a convolution and the tokens of the patches."""
    figure, axes = drawings.canvas(9.6, 3.4)
    cells, text, size = drawings.cells, drawings.text, 0.5
    for x, title, found in ((1.35, "before", results.before), (5.5, "moved", results.moved)):
        text(axes, title, x + 2.0, 3.2, bold=True)
        cells(axes, [found.line], x, 2.95, size=size)
        cells(axes, [found.convolved], x + size / 2, 2.05, colour=drawings.QUERY, size=size)
        for number, token in enumerate(found.tokens):
            corner = x + 2 * size * number + 0.04
            cells(axes, [token], corner, 1.05, colour=drawings.KEY, size=size - 0.04)
        text(axes, f"mean behind ReLU: {found.mean:.2f}", x + 2.0, 1.38)
        text(axes, f"mean of right − left behind ReLU: {found.mean_of_tokens:.2f}", x + 2.0, 0.38)
    for y, words in ((2.7, "line"), (1.8, "convolution"), (0.82, "patches:\nmean, r − l")):
        text(axes, words, 1.2, y, align="right", bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
