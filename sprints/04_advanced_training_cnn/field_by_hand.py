"""Which pixels does one feature see? A row of pixels, layers above it, and the cone below one feature.

    uv run sprints/04_advanced_training_cnn/field_by_hand.py
    uv run sprints/04_advanced_training_cnn/field_by_hand.py --strides 2 2 1

Theory: notes/02_receptive_field.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from digit_study.stacks import Layer, receptive_field
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

KERNEL = 3


@dataclass(frozen=True)
class Config(ScriptConfig):
    pixels: Annotated[int, Field(ge=9, le=25)] = 15  # pixels of the row
    strides: tuple[Annotated[int, Field(ge=1, le=2)], ...] = (1, 2, 1)  # stride of each layer of kernel 3

    def check(self) -> None:
        field, _ = receptive_field([Layer(KERNEL, stride) for stride in self.strides])
        if field > self.pixels:
            raise ValueError(f"the field of {field} pixels must fit: got --pixels {self.pixels}, give more or fewer "
                             "--strides")  # fmt: skip


@dataclass(frozen=True)
class Results:
    strides: list[int]
    sizes: list[int]
    seen: list[list[int]]
    fields: list[int]


def main(config: Config) -> Results:
    sizes = [config.pixels]
    for stride in config.strides:
        sizes.append((sizes[-1] - KERNEL) // stride + 1)
    # From the middle feature of the last layer back to the pixels
    seen = [[sizes[-1] // 2]]
    for stride in reversed(config.strides):
        first, last = seen[-1][0], seen[-1][-1]
        seen.append(list(range(first * stride, last * stride + KERNEL)))
    layers = [Layer(KERNEL, stride) for stride in config.strides]
    fields = [receptive_field(layers[:depth])[0] for depth in range(len(layers) + 1)]
    for depth, (size, row, field) in enumerate(zip(sizes, reversed(seen), fields, strict=True)):
        print(f"layer {depth}: {size:>2} features, of which the cone has {len(row):>2}; a feature sees {field} pixels")
    return Results(list(config.strides), sizes, seen[::-1], fields)


def plot(results: Results) -> Figure:
    """Draw the rows from the pixels at the bottom up; what the feature at the top sees is dark."""
    size, gap, left = 0.38, 0.5, 2.2
    figure, axes = drawings.canvas(left + results.sizes[0] * size + 0.2, 0.35 + len(results.sizes) * (size + gap))
    step, places = 1, []
    for depth, (count, row) in enumerate(zip(results.sizes, results.seen, strict=True)):
        if depth:
            # A feature stands above the middle of its window.
            before = places[-1]
            stride = results.strides[depth - 1]
            places.append([before[index * stride + KERNEL // 2] for index in range(count)])
            step *= stride
        else:
            places.append([left + index * size for index in range(count)])
        top = 0.5 + depth * (size + gap) + size
        colour = drawings.QUERY if depth == 0 else drawings.VALUE
        for index, x in enumerate(places[-1]):
            drawings.cells(axes, [[""]], x, top, colour=colour, size=size, strengths=[[0.65 if index in row else 0.15]])
        name = "pixels" if depth == 0 else f"layer {depth}, stride {results.strides[depth - 1]}"
        drawings.text(axes, f"{name}: sees {results.fields[depth]}", left - 0.12, top - size / 2, align="right")
        if depth:
            below = results.seen[depth - 1]
            ends = (places[-2][below[0]], places[-2][below[-1]] + size)
            tops = (places[-1][row[0]], places[-1][row[-1]] + size)
            for start, end in zip(ends, tops, strict=True):
                axes.plot([start, end], [top - size - gap, top - size], color="#444444", linewidth=1)
    drawings.text(axes, "one feature at the top, and everything that can change it (dark)",
                  left + results.sizes[0] * size / 2, 0.2)  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
