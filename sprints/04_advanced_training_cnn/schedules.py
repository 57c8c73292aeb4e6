"""Which schedules of the learning rate are there? Eight written out, equal to PyTorch's.

    uv run sprints/04_advanced_training_cnn/schedules.py

Which of them is best, which_schedule.py finds out. Theory: notes/05_schedules.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn
from torch.optim import SGD, lr_scheduler

from digit_study.rate_schedules import NAMES, Plateau, make_schedule
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Steps = Annotated[int, Field(ge=3, le=MOST)]  # for three stairs


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: Steps = 112  # optimizer steps of a run


@dataclass(frozen=True)
class Results:
    steps: int
    factors: dict[str, list[float]]
    differences: dict[str, float]


def pytorch_schedule(name: str, optimizer: SGD, steps: int) -> lr_scheduler.LRScheduler:
    """Return the same schedule from PyTorch."""
    schedulers: dict[str, Callable[[], lr_scheduler.LRScheduler]] = {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        "staircase": lambda: lr_scheduler.StepLR(optimizer, steps // 3, gamma=0.1),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, 0.01 ** (1 / steps)),
        "linear": lambda: lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps),
        "cosine with restarts": lambda: lr_scheduler.CosineAnnealingWarmRestarts(
            optimizer, T_0=math.ceil(steps / 7), T_mult=2
        ),
        "one cycle": lambda: lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=steps, cycle_momentum=False),
        "plateau": lambda: lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, eps=0.0),
    }
    return schedulers[name]()


def difference(name: str, steps: int, losses: list[float]) -> float:
    """Return the largest difference between our rates and PyTorch's; `losses` are what a plateau is judged by."""
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    factor, scheduler = make_schedule(name, steps), pytorch_schedule(name, optimizer, steps)
    largest = 0.0
    for step in range(steps):
        largest = max(largest, abs(factor(step) - optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if isinstance(factor, Plateau):
            factor.update(losses[step])
            scheduler.step(losses[step])  # ty: ignore[invalid-argument-type]
        elif step + 1 < steps:
            scheduler.step()
    return largest


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    losses = torch.rand(config.steps, generator=generator).tolist()
    factors, differences = {}, {}
    for name in NAMES:
        differences[name] = difference(name, config.steps, losses)
        print(f"{name:<22}differs from PyTorch's by at most {differences[name]:.0e}")
        # A plateau has no curve of its own: it waits for losses.
        if name != "plateau":
            schedule = make_schedule(name, config.steps)
            factors[name] = [schedule(step) for step in range(config.steps)]
    return Results(config.steps, factors, differences)


def plot(results: Results) -> Figure:
    """Draw each schedule below the line of code that makes it with PyTorch."""
    thirds, seventh = results.steps // 3, math.ceil(results.steps / 7)
    calls = {
        "constant": "ConstantLR(optimizer, factor=1.0)",
        "staircase": f"StepLR(optimizer, {thirds}, gamma=0.1)",
        "exponential": f"ExponentialLR(optimizer, {0.01 ** (1 / results.steps):.3f})",
        "linear": f"LinearLR(optimizer, 1.0, 0.0,\n{results.steps})",
        "cosine": f"CosineAnnealingLR(optimizer,\nT_max={results.steps})",
        "cosine with restarts": f"CosineAnnealingWarmRestarts(\noptimizer, T_0={seventh}, T_mult=2)",
        "one cycle": f"OneCycleLR(optimizer, max_lr=1.0,\ntotal_steps={results.steps})",
    }
    figure, axes = new_figure(9.0, 5.2, rows=2, columns=4)
    for axis, (name, factors) in zip(axes.flat, results.factors.items(), strict=False):
        axis.plot(factors)
        axis.set(ylim=(-0.04, 1.08), xlim=(0, results.steps))
        axis.set_title(name, fontsize=10, pad=32)
        axis.text(0.5, 1.04, calls[name], transform=axis.transAxes, ha="center", va="bottom", fontsize=7,
                  family="monospace")  # fmt: skip
    axes[-1, -1].set_axis_off()
    axes[-1, -1].text(0.5, 0.5, "plateau:\nReduceLROnPlateau(\noptimizer, patience=1)\n\nhas no curve of its own:\n"
                      "it waits for\nvalidation losses", transform=axes[-1, -1].transAxes, ha="center", va="center",
                      fontsize=8)  # fmt: skip
    figure.supxlabel("step", fontsize=10)
    figure.supylabel("learning rate / peak", fontsize=10)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"differences.*": Tolerance(absolute=1e-12)})
