"""Which way do the optimizers take down a narrow valley, and in how many steps?

    uv run sprints/03_models_and_training_loops/optimizer_paths.py
    uv run sprints/03_models_and_training_loops/optimizer_paths.py --preset steep

Two weights, a valley whose minimum is known. Each optimizer gets the learning rate of a grid that reaches the minimum
in the fewest steps. They are those of torch.optim, which `optimizers.py` shows to be what is written there. The start
turns with the valley: what changes when the valley is turned is due to its direction alone.
Theory: notes/06_optimizers.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

# AdamW without weight decay is Adam.
OPTIMIZERS: dict[str, Callable] = {
    "SGD": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "Nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "Adam": torch.optim.Adam,
}
MINIMUM = (1.5, 0.5)
START = (-3.5, 1.5)  # from the minimum: along the valley, and across it
LIMIT = 1e10
PRESETS = {
    "along_an_axis": {"degrees": 0.0},
    "steep": {"condition": 1000.0, "steps": 600},
    "steep_along_an_axis": {"condition": 1000.0, "degrees": 0.0, "steps": 600},
}
Condition = Annotated[float, Field(ge=1, le=1e6)]  # a valley is steeper across than along


@dataclass(frozen=True)
class Config(ScriptConfig):
    condition: Condition = 50.0  # curvature across the valley, in units of that along it
    degrees: float = 30.0  # angle between the valley and the first axis
    rates: PositiveInt = 41  # learning rates to try, between 0.0001 and 10
    steps: PositiveInt = 400  # most steps to the minimum


@dataclass(frozen=True)
class OptimizerPath:
    """An optimizer's best run: its rate, the steps until the loss is a millionth of that at the start, the places."""

    learning_rate: float
    steps: int | None
    places: list[list[float]]


@dataclass(frozen=True)
class Results:
    curvature: list[list[float]]
    minimum: list[float]
    paths: dict[str, OptimizerPath]


def valley(condition: float, degrees: float) -> tuple[Tensor, Tensor]:
    """Return the matrix of second derivatives, 1 along the valley and `condition` across it, and the start."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    axes = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)  # columns: along the valley, across it
    minimum, start, curvatures = torch.tensor([MINIMUM, START, (1.0, condition)], dtype=torch.float64)
    return axes @ torch.diag(curvatures) @ axes.T, minimum + axes @ start


def walk(make: Callable, curvature: Tensor, start: Tensor, rate: float, steps: int) -> Tensor:
    """Return the places that an optimizer visits, (steps + 1, 2); it stops where it runs away."""
    minimum, weights = torch.tensor(MINIMUM, dtype=torch.float64), start.clone()
    optimizer = make([weights], lr=rate)
    places = [weights.clone()]
    for _ in range(steps):
        weights.grad = curvature @ (weights - minimum)  # of loss = (w - minimum)^T curvature (w - minimum) / 2
        optimizer.step()
        places.append(weights.clone())
        if weights.abs().max() > LIMIT:
            break
    return torch.stack(places)


def steps_needed(places: Tensor, curvature: Tensor) -> int | None:
    """Return the step from which on the loss stays below a millionth of that at the start."""
    away = places - torch.tensor(MINIMUM, dtype=torch.float64)
    losses = ((away @ curvature) * away).sum(-1) / 2  # (places,)
    high = (losses > 1e-6 * losses[0]).nonzero()[-1].item() + 1
    return int(high) if high < len(places) else None


def best_path(make: Callable, curvature: Tensor, start: Tensor, config: Config) -> OptimizerPath:
    """Return the run with the rate of the grid that needs the fewest steps."""
    paths = []
    for rate in torch.logspace(-4, 1, config.rates).tolist():
        places = walk(make, curvature, start, rate, config.steps)
        paths.append(OptimizerPath(rate, steps_needed(places, curvature), places.tolist()))
    best = min(paths, key=lambda path: config.steps + 1 if path.steps is None else path.steps)
    return OptimizerPath(best.learning_rate, best.steps, best.places[: (best.steps or config.steps) + 1])


def main(config: Config) -> Results:
    curvature, start = valley(config.condition, config.degrees)
    optimizers = tqdm(OPTIMIZERS.items(), desc="optimizers")
    paths = {name: best_path(make, curvature, start, config) for name, make in optimizers}
    for name, path in paths.items():
        print(f"{name:<10}{steps_of(path)}" + (f", learning rate {path.learning_rate:.4f}" if path.steps else ""))
    return Results(curvature.tolist(), list(MINIMUM), paths)


def steps_of(path: OptimizerPath) -> str:
    return "not there yet" if path.steps is None else f"{path.steps} steps"


def plot(results: Results) -> Figure:
    """Draw the paths over lines of equal loss."""
    figure, axes = new_figure(width=8, height=5.5)
    places = torch.cat([torch.tensor(path.places) for path in results.paths.values()])
    low, high = places.amin(0) - 0.4, places.amax(0) + 0.4
    sides = (torch.linspace(start, end, 200) for start, end in zip(low.tolist(), high.tolist(), strict=True))
    first, second = torch.meshgrid(*sides, indexing="xy")
    away = torch.stack([first, second], dim=-1) - torch.tensor(results.minimum)
    losses = ((away @ torch.tensor(results.curvature)) * away).sum(-1) / 2
    axes.contour(first, second, losses, levels=losses.max() * 2.0 ** -torch.arange(10).flip(0), colors="0.85")
    for name, path in results.paths.items():
        axes.plot(*torch.tensor(path.places).T, marker=".", linewidth=1, label=f"{name}, {steps_of(path)}")
    axes.plot(*results.minimum, "k*", markersize=11, zorder=4, label="minimum")
    axes.set(xlabel="first weight", ylabel="second weight")
    axes.grid(False)
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
