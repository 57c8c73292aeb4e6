"""How does one draw items with given weights from uniform random numbers? Weights side by side on a line.

    uv run sprints/02_datasets_and_dataloaders/weights_on_a_line.py

Four items of one class and one of another, weighted so that both classes are drawn equally often.
Theory: notes/09_a_rare_class.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    labels: tuple[NonNegativeInt, ...] = (0, 0, 0, 0, 1)  # the class of each item
    draws: PositiveInt = 5  # points on the line

    def check(self) -> None:
        if not 1 < len(self.labels) < 11 or max(self.labels) > 9:
            raise ValueError(f"give 2 to 10 items with classes from 0 to 9; got --labels {self.labels}")


@dataclass(frozen=True)
class Results:
    labels: list[int]
    weights: list[float]
    ends: list[float]
    points: list[float]
    drawn: list[int]


def main(config: Config) -> Results:
    labels = torch.tensor(config.labels)
    weights = 1 / labels.bincount().double()[labels]  # 1 / (size of the item's class)
    ends = weights.cumsum(dim=0)
    points = torch.rand(config.draws, dtype=torch.float64, generator=torch.Generator().manual_seed(config.seed))
    points = points * ends[-1]
    drawn = torch.searchsorted(ends, points, right=True)
    for point, item in zip(points, drawn, strict=True):
        print(f"{point:.3f} -> item {item}, class {labels[item]}")
    return Results(list(config.labels), weights.tolist(), ends.tolist(), points.tolist(), drawn.tolist())


def plot(results: Results) -> Figure:
    """Draw the line with a piece for each item, and the points that fall on it."""
    figure, axes = drawings.canvas(9.0, 2.3)
    scale, left, bottom = 8.0 / results.ends[-1], 0.5, 0.75
    colours = {label: drawings.COLOURS[number % 6] for number, label in enumerate(sorted(set(results.labels)))}
    starts = [0.0, *results.ends[:-1]]
    for item, (start, end, label) in enumerate(zip(starts, results.ends, results.labels, strict=True)):
        box = (left + start * scale, bottom, (end - start) * scale, 0.45)
        drawings.box(axes, f"item {item}, class {label}" if box[2] > 1.5 else f"{item}", *box, colours[label])
        drawings.text(axes, f"{end:.3g}", left + end * scale, bottom - 0.2)
    drawings.text(axes, "0", left, bottom - 0.2)
    for order, (point, item) in enumerate(zip(results.points, results.drawn, strict=True)):
        x, high = left + point * scale, 1.65 + 0.28 * (order % 2)
        drawings.arrow(axes, (x, high - 0.1), (x, bottom + 0.47))
        drawings.text(axes, f"{point:.3f}: {item}", x, high)
    drawings.text(axes, "running sum of the weights", left + 4.0, 0.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
