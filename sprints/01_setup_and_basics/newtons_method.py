"""What is a Hessian good for? Newton's method and gradient descent walk down the same valley.

    uv run sprints/01_setup_and_basics/newtons_method.py

Rosenbrock's function is a curved valley, steep across and almost flat along; its lowest point is (1, 1).
Theory: notes/11_higher_order.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.autograd.functional import hessian

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run

START, MINIMUM = (-1.2, 1.0), (1.0, 1.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    learning_rate: PositiveFloat = 1e-3  # of gradient descent; above 2 / 1002 it is unstable at the minimum
    most_steps: PositiveInt = 50_000  # steps after which a walk is given up
    near: PositiveFraction = 1e-4  # distance from the minimum that counts as arrived


@dataclass(frozen=True)
class Walk:
    steps: int | None
    path: list[list[float]]
    distances: list[float]


@dataclass(frozen=True)
class Results:
    walks: dict[str, Walk]
    condition: float


def rosenbrock(point: Tensor) -> Tensor:
    """Return (1 - x)^2 + 100 (y - x^2)^2."""
    x, y = point
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def gradient(point: Tensor) -> Tensor:
    point = point.detach().requires_grad_()
    return torch.autograd.grad(rosenbrock(point), point)[0]


def newton(point: Tensor) -> Tensor:
    """Return where the parabola that touches the function at a point has its extremum: point - H^-1 gradient."""
    return point - torch.linalg.solve(hessian(rosenbrock, point), gradient(point))


def walk(next_point: Callable[[Tensor], Tensor], near: float, most_steps: int) -> Walk:
    """Return the steps until the minimum is near (None: it never is), and the way there."""
    point, minimum = (torch.tensor(corner, dtype=torch.float64) for corner in (START, MINIMUM))
    path, distances = [point.tolist()], [torch.dist(point, minimum).item()]
    while distances[-1] > near and len(distances) <= most_steps:
        point = next_point(point)
        path.append(point.tolist())
        distances.append(torch.dist(point, minimum).item())
    steps = len(distances) - 1 if distances[-1] <= near else None
    # A long way is thinned out: the first hundred points show its shape, then every hundredth does.
    kept = [*range(min(100, len(path))), *range(100, len(path), 100)]
    return Walk(steps, [path[step] for step in kept], distances if len(distances) < 100 else [])


def main(config: Config) -> Results:
    walks = {
        "Newton": walk(newton, config.near, config.most_steps),
        "gradient descent": walk(
            lambda point: point - config.learning_rate * gradient(point), config.near, config.most_steps
        ),
    }
    for name, taken in walks.items():
        print(f"{name}: {taken.steps or 'not within ' + str(config.most_steps)} steps to within {config.near:g}")
    print("distances of Newton's points: " + ", ".join(f"{distance:.1e}" for distance in walks["Newton"].distances))
    curvatures = torch.linalg.eigvalsh(hessian(rosenbrock, torch.tensor(MINIMUM, dtype=torch.float64)))
    condition = (curvatures[-1] / curvatures[0]).item()
    print(f"at the minimum the valley is {condition:,.0f} times as steep across as along")
    return Results(walks, condition)


def plot(results: Results) -> Figure:
    """Draw the two walks on the contours of the valley."""
    figure, axes = new_figure(7, 4.5)
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, 161), np.linspace(-3.5, 1.8, 161))
    height = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    axes.contour(x, y, height, levels=np.logspace(0, 3.2, 9), colors="lightgrey", linewidths=0.8)
    for (name, taken), marker in zip(results.walks.items(), ("o", ""), strict=True):
        axes.plot(
            *zip(*taken.path, strict=True),
            marker=marker,
            markersize=4,
            label=f"{name}: {taken.steps or 'too many'} steps",
        )
    axes.plot(*MINIMUM, "k*", markersize=10, linestyle="", label="minimum")
    axes.set(xlabel="x", ylabel="y")
    axes.grid(False)
    axes.legend(loc="lower left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
