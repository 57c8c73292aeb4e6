"""What happens when `zero_grad` is forgotten? Gradients add up, and training becomes a pendulum without friction.

    uv run sprints/01_setup_and_basics/forgotten_zero_grad.py

The same regression three times: gradients emptied before each step, never emptied, and emptied with momentum 1, which
is the same as never. Theory: notes/08_autograd.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Examples = Annotated[int, Field(ge=3, le=MOST)]  # as many as weights


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: Examples = 100  # examples of the regression
    noise: NonNegativeFloat = 0.3  # standard deviation of the targets around the plane
    steps: PositiveInt = 200  # steps of gradient descent
    learning_rate: PositiveFloat = 0.1  # its learning rate


@dataclass(frozen=True)
class Results:
    losses: dict[str, list[float]]
    excess_of_last_half: dict[str, float]
    optimum: float
    forgotten_minus_momentum: float


def train(features: Tensor, targets: Tensor, config: Config, *, zero: bool, momentum: float = 0.0) -> list[float]:
    """Return the loss before each step of gradient descent, with or without emptying the gradients."""
    weights = torch.zeros(features.shape[1], dtype=features.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=config.learning_rate, momentum=momentum)
    losses = []
    for _ in range(config.steps):
        if zero:
            optimizer.zero_grad()
        loss = (features @ weights - targets).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    features = torch.randn(config.examples, 3, generator=generator, dtype=torch.float64)
    noise = torch.randn(config.examples, generator=generator, dtype=torch.float64)
    targets = features @ torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64) + config.noise * noise
    best = torch.linalg.lstsq(features, targets[:, None]).solution[:, 0]
    optimum = (features @ best - targets).square().mean().item()
    losses = {
        "emptied": train(features, targets, config, zero=True),
        "never emptied": train(features, targets, config, zero=False),
        "emptied, momentum 1": train(features, targets, config, zero=True, momentum=1.0),
    }
    half = config.steps // 2
    excess = {name: sum(curve[half:]) / len(curve[half:]) - optimum for name, curve in losses.items()}
    for name, above in excess.items():
        print(f"gradients {name:<20} loss in the last half {above:.1e} above the optimum of {optimum:.4f}")
    pairs = zip(losses["never emptied"], losses["emptied, momentum 1"], strict=True)
    difference = max(abs(forgotten - momentum) for forgotten, momentum in pairs)
    print(f"never emptied and momentum 1 differ by at most {difference:.0e}")
    return Results(losses, excess, optimum, difference)


def plot(results: Results) -> Figure:
    """Draw the loss by step."""
    figure, axes = new_figure()
    for (name, curve), style in zip(results.losses.items(), ("-", "-", ":"), strict=True):
        axes.plot(curve, style, label=f"gradients {name}", color="black" if style == ":" else None)
    axes.axhline(results.optimum, color="grey", linestyle="--", label="least squares")
    axes.set(yscale="log", xlabel="step", ylabel="mean squared error")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
