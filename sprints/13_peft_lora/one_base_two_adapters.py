"""How do several adapters share one base? One layer, two adapters of rank 1, every number of it.

    uv run sprints/13_peft_lora/one_base_two_adapters.py
    uv run sprints/13_peft_lora/one_base_two_adapters.py --x 1 1

A batch holds a row for each adapter and one for the base: the frozen weight is used once for all of them. Theory:
notes/07_adapters.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

W = ((1.0, 0.0), (0.0, 1.0))  # (out, in)
ADAPTERS = {"none": ((0.0, 0.0), (0.0, 0.0)), "pirate": ((1.0, 1.0), (1.0, 0.0)), "haiku": ((1.0, -1.0), (0.0, 2.0))}
COLOUR = {"none": drawings.TOKEN, "pirate": COLOURS[3], "haiku": COLOURS[5]}


@dataclass(frozen=True)
class Config(ScriptConfig):
    x: tuple[float, float] = (2.0, 1.0)  # what every user sends


@dataclass(frozen=True)
class Results:
    x: list[float]
    base: list[float]
    outputs: dict[str, list[float]]


def main(config: Config) -> Results:
    weight, x = torch.tensor(W), torch.tensor(config.x)
    base = weight @ x
    outputs = {}
    for name, (a, b) in ADAPTERS.items():
        outputs[name] = (base + torch.tensor(b) * (torch.tensor(a) @ x)).tolist()
        print(f"{name:6s} gives {outputs[name]}")
    return Results(list(config.x), base.tolist(), outputs)


def plot(results: Results) -> Figure:
    """Draw a batch of three rows, of which each has an adapter of its own beside the weight that all share."""
    figure, axes = drawings.canvas(8.6, 3.4)
    for row, (name, output) in enumerate(results.outputs.items()):
        y, colour = 2.75 - 0.95 * row, COLOUR[name]
        drawings.cells(
            axes, [results.x], 1.6, y, title="x" if row == 0 else "", row_names=["no adapter" if row == 0 else name]
        )
        drawings.arrow(axes, (2.65, y - 0.25), (3.35, y - 0.25))
        drawings.cells(axes, [results.base], 4.75, y, title="W x" if row == 0 else "")
        drawings.text(axes, "+", 5.95, y - 0.25, size=12)
        added = [o - b for o, b in zip(output, results.base, strict=True)]
        drawings.cells(axes, [added], 6.15, y, colour=colour, title="B A x" if row == 0 else "")
        drawings.text(axes, "=", 7.3, y - 0.25, size=12)
        drawings.cells(axes, [output], 7.5, y, colour=drawings.MIXED, title="h" if row == 0 else "")
    drawings.box(axes, "W\nonce", 3.4, 0.3, 0.75, 2.5)
    for y in (2.5, 1.55, 0.6):
        drawings.arrow(axes, (4.2, y), (4.7, y))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
