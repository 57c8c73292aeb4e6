"""How do weights become bytes, and come back? A row of weights as integers of 4 bits, two to a byte.

    uv run sprints/14_quantization/pack_a_row.py
    uv run sprints/14_quantization/pack_a_row.py --weights 1 -0.5 0.25 0.75

The row is one group: it has a single scale, of 16 bits. Theory: notes/13_saved_and_served.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from quantizing.gptq import round_to_nearest
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.packed_weights import GroupedWeight, pack, unpack

BITS = 4
Weight = Annotated[float, Field(ge=-100, le=100)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    weights: Annotated[tuple[Weight, ...], Field(min_length=4, max_length=4)] = (0.3, -0.2, 0.1, 0.4)  # a row

    def check(self) -> None:
        """Refuse a row that has no grid."""
        if max(abs(weight) for weight in self.weights) < 0.01:
            raise ValueError("--weights that are all nearly 0 have no grid: give one of 0.01 or more, or -0.01 or less")


@dataclass(frozen=True)
class Results:
    weights: list[float]
    scale: float
    integers: list[int]
    packed: list[int]
    read: list[float]


def main(config: Config) -> Results:
    row = torch.tensor([config.weights])  # (1, inputs)
    rounded = round_to_nearest(row, BITS, group=len(config.weights))
    packed = pack(rounded.integers, BITS)  # (1, bytes)
    read = GroupedWeight(unpack(packed, BITS), rounded.scales).to_float()
    results = Results(
        list(config.weights), rounded.scales.item(), rounded.integers[0].tolist(), packed[0].tolist(), read[0].tolist()
    )
    print(f"scale {results.scale:.4f}, integers {results.integers}, bytes {results.packed}")
    print("read again: " + ", ".join(f"{number:.3f}" for number in results.read))
    return results


def plot(results: Results) -> Figure:
    """Draw the way of a row into bytes and back, from left to right."""
    figure, axes = drawings.canvas(8.6, 3.0)
    top, size = 2.4, 0.55
    stages = {
        "weights": [f"{weight:g}" for weight in results.weights],
        "integers": [str(integer) for integer in results.integers],
        "plus 8": [str(integer + 8) for integer in results.integers],
        "in bits": [f"{integer + 8:04b}" for integer in results.integers],
    }
    colours = (drawings.VALUE, drawings.KEY, drawings.KEY, drawings.KEY)
    middle = top - 2 * size
    for number, ((title, shown), colour) in enumerate(zip(stages.items(), colours, strict=True)):
        drawings.cells(axes, [[each] for each in shown], 0.3 + 1.3 * number, top, colour=colour, size=size, title=title)
        if number:
            start = 0.3 + 1.3 * (number - 1) + size
            drawings.arrow(axes, (start + 0.08, middle), (start + 1.3 - size - 0.08, middle))
    for pair, byte in enumerate(results.packed):
        low, high = (f"{half:04b}" for half in (byte & 15, byte >> 4))
        y = top - size * (2 * pair + 1)
        drawings.arrow(axes, (4.83, y), (5.35, y))
        drawings.box(axes, f"{high} {low}", 5.4, y - 0.2, 1.0, 0.4, drawings.MIXED)
        drawings.text(axes, f"byte {byte}", 5.9, y - 0.33)
    drawings.text(axes, "two in a byte", 5.9, top + 0.18, bold=True)
    drawings.arrow(axes, (6.5, middle), (7.35, middle), "read")
    shown = [[f"{number:.2f}"] for number in results.read]
    drawings.cells(axes, shown, 7.45, top, colour=drawings.VALUE, size=size, title="times the scale")
    drawings.text(axes, f"scale {results.scale:.4f}", 1.2, top - 4 * size - 0.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
