"""Two adapters made into one: added, averaged, and with their factors averaged, which is something else.

    uv run sprints/21_adapters_and_prompts/adding_by_hand.py
    uv run sprints/21_adapters_and_prompts/adding_by_hand.py --x 1 1

One layer, two adapters of rank 1, every number of it. Theory: notes/09_adding_and_switching.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

DOWN = ((1.0, 1.0), (1.0, -1.0))  # A of the first adapter, A of the second: (adapters, in)
UP = ((1.0, 0.0), (0.0, 2.0))  # B: (adapters, out)
FIRST, SECOND = COLOURS[3], COLOURS[5]


@dataclass(frozen=True)
class Config(ScriptConfig):
    x: tuple[float, float] = (2.0, 1.0)  # what goes into the layer


@dataclass(frozen=True)
class Results:
    x: list[float]
    first: list[float]
    second: list[float]
    total: list[float]
    mean: list[float]
    mean_of_factors: list[float]
    cross: list[list[float]]


def main(config: Config) -> Results:
    x, down, up = torch.tensor(config.x), torch.tensor(DOWN), torch.tensor(UP)
    changes = up * (down @ x)[:, None]  # (adapters, out): B A x of each
    cross = torch.stack([up[0] * (down[1] @ x), up[1] * (down[0] @ x)])  # B of one, A of the other
    factors = up.mean(dim=0) * (down.mean(dim=0) @ x)
    print(f"changes of {config.x}: {changes[0].tolist()} and {changes[1].tolist()}")
    print(f"added {changes.sum(dim=0).tolist()}, averaged {changes.mean(dim=0).tolist()}")
    print(f"with factors averaged {factors.tolist()}: a quarter of both, and of {cross.tolist()}")
    return Results(
        x=list(config.x),
        first=changes[0].tolist(),
        second=changes[1].tolist(),
        total=changes.sum(dim=0).tolist(),
        mean=changes.mean(dim=0).tolist(),
        mean_of_factors=factors.tolist(),
        cross=cross.tolist(),
    )


def plot(results: Results) -> Figure:
    """Draw the mean of the changes above, and below what comes of the mean of the factors, cross terms and all."""
    figure, axes = drawings.canvas(9.6, 3.6)
    cells, text = drawings.cells, drawings.text

    def column(values: list[float], x: float, y: float, colour: str, title: str) -> None:
        cells(axes, [[value] for value in values], x, y, colour=colour, title=title)

    text(axes, "mean of the changes", 2.35, 2.55, align="right", bold=True)
    text(axes, "mean of the factors", 2.35, 0.85, align="right", bold=True)
    top = ((results.first, FIRST, "B₁A₁x"), (results.second, SECOND, "B₂A₂x"))
    cross = ((results.cross[0], drawings.TOKEN, "B₁A₂x"), (results.cross[1], drawings.TOKEN, "B₂A₁x"))
    for y, factor, parts, mixed in (
        (3.05, "½ (", top, results.mean),
        (1.35, "¼ (", (*top, *cross), results.mean_of_factors),
    ):
        text(axes, factor, 2.75, y - 0.5, size=14)
        place = 3.1
        for number, (values, colour, title) in enumerate(parts):
            column(values, place, y, colour, title)
            text(axes, ") =" if number == len(parts) - 1 else "+", place + 0.85, y - 0.5, size=14)
            place += 1.25
        column(mixed, place + 0.15, y, drawings.MIXED, "")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
