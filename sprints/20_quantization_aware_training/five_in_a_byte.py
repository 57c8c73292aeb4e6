"""How do five ternary weights become one byte, and come back? Digits of base 3.

    uv run sprints/20_quantization_aware_training/five_in_a_byte.py
    uv run sprints/20_quantization_aware_training/five_in_a_byte.py --weights 1 1 1 1 1

Theory: notes/10_what_is_gained.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from pydantic import Field

from aware.packing import pack_digits, unpack_digits
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

PLACES = (1, 3, 9, 27, 81)


@dataclass(frozen=True)
class Config(ScriptConfig):
    # five weights, each -1, 0 or 1 (times a step)
    weights: Annotated[tuple[Literal[-1, 0, 1], ...], Field(min_length=5, max_length=5)] = (-1, 0, 1, 1, 0)


@dataclass(frozen=True)
class Results:
    weights: list[int]
    digits: list[int]
    parts: list[int]
    byte: int
    read: list[int]


def main(config: Config) -> Results:
    weights = torch.tensor(config.weights, dtype=torch.int8)
    packed = pack_digits(weights, "ternary")  # (1,)
    read = unpack_digits(packed, len(weights), "ternary")
    digits = [weight + 1 for weight in config.weights]
    parts = [digit * place for digit, place in zip(digits, PLACES, strict=True)]
    results = Results(list(config.weights), digits, parts, int(packed.item()), read.tolist())
    print(f"digits {results.digits}, {' + '.join(map(str, parts))} = {sum(parts)}, byte {results.byte:08b}")
    print(f"read again: {results.read}")
    return results


def plot(results: Results) -> Figure:
    """Draw the way of five weights into a byte, from left to right."""
    figure, axes = drawings.canvas(7.4, 3.3)
    size, top = 0.52, 2.85
    middle = top - 2.5 * size
    columns = (
        ("weights", results.weights, drawings.VALUE),
        ("plus 1", results.digits, drawings.KEY),
        ("times", PLACES, drawings.TOKEN),
        ("is", results.parts, drawings.KEY),
    )
    for number, (title, shown, colour) in enumerate(columns):
        x = 0.3 + 1.35 * number
        drawings.cells(axes, [[str(each)] for each in shown], x, top, colour=colour, size=size, title=title)
        if number:
            drawings.arrow(axes, (x - 1.35 + size + 0.08, middle), (x - 0.08, middle))
    drawings.arrow(axes, (0.3 + 1.35 * 3 + size + 0.08, middle), (5.75, middle), "add")
    drawings.box(axes, f"{results.byte:08b}", 5.85, middle - 0.25, 1.1, 0.5, drawings.MIXED)
    drawings.text(axes, f"one byte: {results.byte}", 6.4, middle + 0.45, bold=True)
    drawings.text(axes, "at most 242, and", 6.4, middle - 0.5, size=8)
    drawings.text(axes, "a byte holds 255", 6.4, middle - 0.72, size=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
