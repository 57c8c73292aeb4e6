"""What is a convolution? Every number of one: a picture of 5 x 5, a filter of 3 x 3.

    uv run sprints/04_advanced_training_cnn/conv_by_hand.py
    uv run sprints/04_advanced_training_cnn/conv_by_hand.py --row 0 --column 0
    uv run sprints/04_advanced_training_cnn/conv_by_hand.py --stride 2 --row 1 --column 1

Theory: notes/01_convolution.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from digit_study.geometry import Geometry, output_size
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Table = list[list[int]]

# An upright stroke that ends in a level one
PICTURE: Table = [
    [0, 0, 2, 0, 0],
    [0, 0, 2, 0, 0],
    [0, 0, 2, 0, 0],
    [0, 0, 2, 2, 2],
    [0, 0, 0, 0, 0],
]
# What is on the right of a place, less what is on its left
FILTER: Table = [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    row: Annotated[int, Field(ge=0, le=4)] = 1  # row of the map whose sum is written out
    column: Annotated[int, Field(ge=0, le=4)] = 2  # column of the map whose sum is written out
    stride: Annotated[int, Field(ge=1, le=3)] = 1  # pixels from one window to the next
    padding: Annotated[int, Field(ge=0, le=1)] = 0  # rings of zeros around the picture

    def check(self) -> None:
        size = output_size(len(PICTURE), len(FILTER), Geometry(self.stride, self.padding))
        if max(self.row, self.column) >= size:
            raise ValueError(f"the map is {size} x {size}: --row and --column must be below {size}; got {self.row} and "
                             f"{self.column}")  # fmt: skip


@dataclass(frozen=True)
class Results:
    picture: Table
    row: int
    column: int
    stride: int
    window: Table
    products: Table
    map: Table


def pad(picture: Table, padding: int) -> Table:
    """Return a picture with rings of zeros around it."""
    width = len(picture[0]) + 2 * padding
    rows = [[0] * padding + row + [0] * padding for row in picture]
    return [[0] * width for _ in range(padding)] + rows + [[0] * width for _ in range(padding)]


def window_at(picture: Table, top: int, left: int, size: int) -> Table:
    """Return the square of pixels whose upper left corner is at (top, left)."""
    return [row[left : left + size] for row in picture[top : top + size]]


def multiply(window: Table, weights: Table) -> Table:
    """Return the products of what lies above each other."""
    return [[pixel * weight for pixel, weight in zip(*rows, strict=True)] for rows in zip(window, weights, strict=True)]


def convolve(picture: Table, weights: Table, stride: int = 1) -> Table:
    """Return the map: at each place of the filter, the sum of the products."""
    size, places = len(weights), range(0, len(picture) - len(weights) + 1, stride)
    return [
        [sum(map(sum, multiply(window_at(picture, top, left, size), weights))) for left in places] for top in places
    ]


def main(config: Config) -> Results:
    picture = pad(PICTURE, config.padding)
    window = window_at(picture, config.row * config.stride, config.column * config.stride, len(FILTER))
    products = multiply(window, FILTER)
    result = convolve(picture, FILTER, config.stride)
    print("window     filter     products")
    for lines in zip(window, FILTER, products, strict=True):
        print("   ".join(" ".join(f"{number:2d}" for number in line) for line in lines))
    print(f"sum of the products: {sum(map(sum, products))}, row {config.row} and column {config.column} of the map")
    for row in result:
        print(" ".join(f"{number:3d}" for number in row))
    return Results(picture, config.row, config.column, config.stride, window, products, result)


def plot(results: Results) -> Figure:
    """Draw picture, filter, products and map from left to right, with the window and its place in the map darker."""
    size = 0.42
    tall = len(results.picture) * size
    figure, axes = drawings.canvas(8.6, tall + 1.1)
    top = tall + 0.45

    def level(rows: Table) -> float:
        return top - (tall - len(rows) * size) / 2

    reach = range(len(FILTER))
    corner = (results.row * results.stride, results.column * results.stride)
    inside = {(corner[0] + i, corner[1] + j) for i in reach for j in reach}
    lit = [[0.6 if (i, j) in inside else 0.2 for j in range(len(results.picture))] for i in range(len(results.picture))]
    chosen = [
        [0.6 if (i, j) == (results.row, results.column) else 0.2 for j in range(len(results.map))]
        for i in range(len(results.map))
    ]
    x = 0.25
    parts = (
        ("picture", results.picture, drawings.QUERY, lit, "×"),
        ("filter", FILTER, drawings.KEY, None, "="),
        ("products", results.products, drawings.TOKEN, None, f"sum: {sum(map(sum, results.products))}"),
        ("map", results.map, drawings.VALUE, chosen, ""),
    )
    for name, rows, colour, strengths, sign in parts:
        gap = 1.15 if sign.startswith("sum") else 0.5
        width, _ = drawings.cells(axes, rows, x, level(rows), colour=colour, size=size, strengths=strengths, title=name)
        if sign.startswith("sum"):
            drawings.arrow(axes, (x + width + 0.12, top - tall / 2), (x + width + gap - 0.12, top - tall / 2), sign)
        else:
            drawings.text(axes, sign, x + width + gap / 2, top - tall / 2, size=13)
        x += width + gap
    drawings.text(axes, "The dark window times the filter, place by place; the sum is one number of the map.",
                  figure.get_figwidth() / 2, 0.15)  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
