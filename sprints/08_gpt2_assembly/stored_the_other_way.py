"""What happens to a matrix that is copied without transposing? Two inputs, two outputs.

    uv run sprints/08_gpt2_assembly/stored_the_other_way.py
    uv run sprints/08_gpt2_assembly/stored_the_other_way.py --x 1 0

transformers' Conv1D keeps (inputs, outputs), PyTorch's nn.Linear (outputs, inputs). Theory:
notes/06_equal_to_the_library.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn
from transformers.pytorch_utils import Conv1D

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

WEIGHT = ((1.0, 0.0), (3.0, 1.0))  # as Conv1D stores it: two inputs, two outputs


@dataclass(frozen=True)
class Config(ScriptConfig):
    x: tuple[float, float] = (1.0, 2.0)  # what the layer reads


@dataclass(frozen=True)
class Results:
    x: list[float]
    conv1d: list[float]
    copied: list[float]
    transposed: list[float]


@torch.no_grad()
def main(config: Config) -> Results:
    x, weight = torch.tensor(config.x), torch.tensor(WEIGHT)
    theirs, ours = Conv1D(2, 2), nn.Linear(2, 2)
    theirs.weight.copy_(weight)
    theirs.bias.zero_()
    ours.bias.zero_()
    results = {"Conv1D": theirs(x[None, None])[0, 0]}
    ours.weight.copy_(weight)
    results["nn.Linear, copied as it is"] = ours(x)
    ours.weight.copy_(weight.mT)
    results["nn.Linear, transposed first"] = ours(x)
    for name, numbers in results.items():
        print(f"{name:<30}{numbers.tolist()}")
    return Results(list(config.x), *(numbers.tolist() for numbers in results.values()))


def plot(results: Results) -> Figure:
    """Draw the right product above and the wrong one below; what makes the first output is dark."""
    figure, axes = drawings.canvas(8.6, 3.1)
    dark, light = 0.5, 0.1
    column, row = [weights[0] for weights in WEIGHT], WEIGHT[0]
    right = ("Conv1D", "multiplies with the columns", [[dark, light]] * 2, column, results.conv1d)
    wrong = ("nn.Linear, not transposed", "multiplies with the rows", [[dark] * 2, [light] * 2], row, results.copied)
    size, titles = 0.48, ("x", "weight", "result")
    for y, (name, what, strengths, weights, found) in ((2.5, right), (1.15, wrong)):
        drawings.text(axes, name, 2.15, y - 0.3, align="right", bold=True)
        drawings.text(axes, what, 2.15, y - 0.62, align="right")
        matrices = (([results.x], 2.6, None), (WEIGHT, 4.1, strengths), ([found], 5.65, [[dark, light]]))
        for (numbers, x, shades), title in zip(matrices, titles, strict=True):
            colour = drawings.MIXED if shades else drawings.TOKEN
            top = y if len(numbers) == 2 else y - size / 2
            drawings.cells(axes, numbers, x, top, colour=colour, size=size, strengths=shades, title=title)
        drawings.text(axes, "·", 3.85, y - size, size=14)
        drawings.text(axes, "=", 5.35, y - size, size=14)
        words = " + ".join(f"{number:g} · {weight:g}" for number, weight in zip(results.x, weights, strict=True))
        drawings.text(axes, f"{found[0]:g} = {words}", 6.85, y - size, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
