"""How does a loss change the size of a step? Four weights of two bits, the gradient of their step, and its descent.

    uv run sprints/20_quantization_aware_training/step_by_hand.py
    uv run sprints/20_quantization_aware_training/step_by_hand.py --step 1.3

The loss is the squared error of the rounded weights. Theory: notes/02_learned_steps.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from aware.fake_quantize import fake_quantize, learned_step
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run

WEIGHTS = (-0.9, -0.2, 0.3, 1.1)
LOWEST, HIGHEST = -2, 1  # two bits


@dataclass(frozen=True)
class Config(ScriptConfig):
    step: PositiveFloat = 0.5  # where the step starts
    learning_rate: PositiveFloat = 0.1  # of gradient descent
    updates: PositiveInt = 60  # of the step


@dataclass(frozen=True)
class Results:
    places: list[float]  # the weights in steps
    integers: list[int]
    back: list[float]
    slopes: list[float]  # of each rounded weight for the step
    loss: float
    gradient: float  # of the loss for the step
    factor: float
    euler: list[float]  # weight times its gradient plus step times its gradient, of each rounded weight
    steps: list[float]
    losses: list[float]
    best_step: float
    best_loss: float


def slope(y: Tensor, x: Tensor) -> float:
    return torch.autograd.grad(y, x, retain_graph=True)[0].item()


def descend(config: Config, weights: Tensor) -> tuple[list[float], list[float]]:
    """Return the step and the loss before each update; the weights stay as they are."""
    step, steps, losses = torch.tensor([config.step], requires_grad=True), [], []
    for _ in range(config.updates):
        loss = (learned_step(weights, step, LOWEST, HIGHEST) - weights).square().sum()
        steps.append(step.item())
        losses.append(loss.item())
        step.data -= config.learning_rate * torch.autograd.grad(loss, step)[0]
    return steps, losses


def main(config: Config) -> Results:
    weights = torch.tensor(WEIGHTS, requires_grad=True)
    step = torch.tensor([config.step], requires_grad=True)
    back = fake_quantize(weights, step, 0, LOWEST, HIGHEST)
    loss = (back - weights.detach()).square().sum()
    places = (weights / step).tolist()
    integers = (back / step).round().int().tolist()
    slopes = [slope(one, step) for one in back]
    to_weights = [torch.autograd.grad(one, weights, retain_graph=True)[0].sum().item() for one in back]
    euler = [w * g + config.step * s for w, g, s in zip(WEIGHTS, to_weights, slopes, strict=True)]
    for row in zip(WEIGHTS, places, integers, back.tolist(), slopes, to_weights, euler, strict=True):
        print("{:4.1f} is {:4.1f} steps -> {:2d} -> {:4.1f}: for the step {:+.1f}, for the weight {:g}, "
              "together {:4.1f}".format(*row))  # fmt: skip
    gradient, factor = slope(loss, step), (len(WEIGHTS) * HIGHEST) ** -0.5
    steps, losses = descend(config, weights.detach())
    candidates = torch.linspace(0.05, 2, 4000)[:, None]
    errors = (fake_quantize(weights.detach(), candidates, 0, LOWEST, HIGHEST) - weights.detach()).square().sum(1)
    best = int(errors.argmin())
    print(f"loss {loss.item():.2f}, gradient of the step {gradient:+.2f}, times {factor:g}")
    print(f"after {config.updates} updates: step {steps[-1]:.2f}, loss {losses[-1]:.3f}; "
          f"best is {candidates[best].item():.2f} with {errors[best].item():.3f}")  # fmt: skip
    return Results(places, integers, back.tolist(), slopes, loss.item(), gradient, factor, euler, steps, losses,
                   candidates[best].item(), errors[best].item())  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the derivative of a rounded weight for its step, and the descent on the squared error."""
    figure, (left, right) = new_figure(9.6, 3.9, columns=2)
    places = torch.linspace(-3.4, 2.4, 1500).double().unsqueeze(1)
    step = torch.ones_like(places).requires_grad_()
    (slopes,) = torch.autograd.grad(fake_quantize(places, step, 0, LOWEST, HIGHEST).sum(), step)
    left.plot(places.flatten(), slopes.flatten(), color=COLOURS[2], linewidth=1.3)
    left.plot(results.places, results.slopes, "o", color=COLOURS[3])
    beside = ((0, -30, "center"), (-7, 7, "right"), (7, 7, "left"), (0, 7, "center"))  # where the curve is not
    for weight, place, value, (x, y, side) in zip(WEIGHTS, results.places, results.slopes, beside, strict=True):
        left.annotate(f"{weight:g}: {value:+.1f}", (place, value), xytext=(x, y), textcoords="offset points",
                      fontsize=9, ha=side)  # fmt: skip
    left.axvspan(LOWEST - 0.5, HIGHEST + 0.5, color=COLOURS[0], alpha=0.08)
    left.text(-0.5, -1.7, "on the grid: how far rounding moved it", fontsize=9, color=COLOURS[0], ha="center")
    left.set(xlabel="weight, in steps", ylabel="derivative of the rounded weight\nfor the step", ylim=(-2.3, 1.5))
    candidates = torch.linspace(0.3, 1.4, 1200)[:, None]
    weights = torch.tensor(WEIGHTS)
    errors = (fake_quantize(weights, candidates, 0, LOWEST, HIGHEST) - weights).square().sum(1)
    right.plot(candidates.flatten(), errors, color="#777777", linewidth=1.2)
    right.plot(results.steps, results.losses, "o", color=COLOURS[2], markersize=3.5)
    right.annotate("start", (results.steps[0], results.losses[0]), xytext=(-12, 10), textcoords="offset points",
                   fontsize=9, color=COLOURS[2])  # fmt: skip
    right.plot(results.best_step, results.best_loss, "*", color=COLOURS[3], markersize=11)
    right.annotate("least", (results.best_step, results.best_loss), xytext=(-8, -16), textcoords="offset points",
                   fontsize=9, color=COLOURS[3])  # fmt: skip
    right.set(xlabel="step", ylabel="squared error of the four weights", ylim=(0, None))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
