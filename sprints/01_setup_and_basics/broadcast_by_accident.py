"""What happens when shapes fit by accident? A regression that learns nothing but the mean, without an error.

    uv run sprints/01_setup_and_basics/broadcast_by_accident.py

Predictions of shape (n, 1) minus targets of shape (n,) are n x n differences. One missing axis, and gradient descent
ends at the mean of the targets. Theory: notes/04_broadcasting.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: AtLeastTwo = 200  # examples of the regression
    steps: PositiveInt = 200  # steps of gradient descent
    learning_rate: PositiveFloat = 0.1  # its learning rate
    noise: NonNegativeFloat = 0.5  # standard deviation of the targets around the line


@dataclass(frozen=True)
class Results:
    differences: dict[str, int]
    fits: dict[str, tuple[float, float]]
    losses: dict[str, float]
    inputs: list[float]
    targets: list[float]


def fit_line(inputs: Tensor, targets: Tensor, config: Config) -> tuple[float, float]:
    """Return slope and intercept that gradient descent finds for predictions (n, 1) and the targets as they come."""
    weights = torch.zeros(2, 1, requires_grad=True)
    features = torch.stack([inputs, torch.ones_like(inputs)], dim=1)  # (examples, 2)
    for _ in range(config.steps):
        loss = (features @ weights - targets).square().mean()
        (gradient,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            weights -= config.learning_rate * gradient
    slope, intercept = weights.flatten().tolist()
    return slope, intercept


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    inputs = torch.randn(config.examples, generator=generator)
    targets = 2 * inputs + 1 + config.noise * torch.randn(config.examples, generator=generator)
    design = torch.stack([inputs, torch.ones_like(inputs)], dim=1)
    slope, intercept = torch.linalg.lstsq(design, targets[:, None]).solution.flatten().tolist()
    fits = {
        "targets (n,)": fit_line(inputs, targets, config),
        "targets (n, 1)": fit_line(inputs, targets[:, None], config),
        "the mean alone": (0.0, targets.mean().item()),
        "least squares, exactly": (slope, intercept),
    }
    losses = {name: (slope * inputs + b - targets).square().mean().item() for name, (slope, b) in fits.items()}
    for name, (slope, intercept) in fits.items():
        print(f"{name:<24} {slope:.3f} x + {intercept:.3f}, mean squared error {losses[name]:.4f}")
    predictions = torch.zeros(config.examples, 1)
    differences = {
        "targets (n,)": (predictions - targets).numel(),
        "targets (n, 1)": (predictions - targets[:, None]).numel(),
    }
    print(", ".join(f"{name} make {count:,} differences" for name, count in differences.items()))
    return Results(differences, fits, losses, inputs.tolist(), targets.tolist())


def plot(results: Results) -> Figure:
    """Draw the data and the lines that were fitted to it."""
    figure, axes = new_figure()
    axes.scatter(results.inputs, results.targets, s=10, color="grey", alpha=0.6, label="data")
    ends = torch.tensor([min(results.inputs), max(results.inputs)])
    for name, style in (("targets (n, 1)", "-"), ("targets (n,)", "-"), ("the mean alone", "--")):
        slope, intercept = results.fits[name]
        axes.plot(ends, slope * ends + intercept, style, label=f"{name}: error {results.losses[name]:.2f}")
    axes.set(xlabel="input", ylabel="target")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
