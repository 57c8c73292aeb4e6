"""What does each of the five lines of a training loop do? Leave one out, and see what becomes of a line's slope.

    uv run sprints/03_models_and_training_loops/five_lines.py

Model and data are those of `three_points.py`: one slope, whose best value is 1.5. Each run leaves out one line, or puts
one in the wrong place. Theory: notes/02_the_five_lines.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run

INPUTS, TARGETS = (1.0, 2.0, 3.0), (1.0, 4.0, 4.0)
Rate = Annotated[float, Field(gt=0, le=1)]  # so that what grows stays a number
Steps = Annotated[int, Field(ge=2, le=100)]
LINES = ("prediction", "loss", "zero_grad", "backward", "step")


@dataclass(frozen=True)
class Config(ScriptConfig):
    learning_rate: Rate = 0.05  # learning rate
    steps: Steps = 20  # optimizer steps


@dataclass(frozen=True)
class Run:
    """The weight before the first step and after each, and the error that ended the run if one did."""

    weights: list[float]
    error: str | None


@dataclass(frozen=True)
class Results:
    best_weight: float
    runs: dict[str, Run]


def train(x: Tensor, y: Tensor, learning_rate: float, steps: int) -> list[float]:
    """Fit the slope of a line through the origin; return it before the first step and after each."""
    weight = torch.zeros((), dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=learning_rate)
    weights = [weight.item()]
    for _ in range(steps):
        prediction = weight * x  # 1. what does the model say?
        loss = (prediction - y).square().mean()  # 2. how wrong is it?
        optimizer.zero_grad()  # 3. forget the gradient of the step before
        loss.backward()  # 4. in which direction does the loss grow?
        optimizer.step()  # 5. a small step the other way
        weights.append(weight.item())
    return weights


def train_without(x: Tensor, y: Tensor, learning_rate: float, steps: int, missing: str) -> Run:
    """Do the same with a line left out; what lines 1 and 2 make is made once, before the loop, instead."""
    weight = torch.zeros((), dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=learning_rate)
    prediction = weight * x
    loss = (prediction - y).square().mean()
    weights = [weight.item()]
    for _ in range(steps):
        if missing != "prediction":
            prediction = weight * x
        if missing != "loss":
            loss = (prediction - y).square().mean()
        if missing not in ("zero_grad", "zero_grad too late"):
            optimizer.zero_grad()
        if missing != "backward":
            try:
                loss.backward()
            except RuntimeError as error:
                return Run(weights, str(error).split(" (")[0])
        if missing == "zero_grad too late":
            optimizer.zero_grad()
        if missing != "step":
            optimizer.step()
        weights.append(weight.item())
    return Run(weights, None)


def main(config: Config) -> Results:
    x, y = (torch.tensor(numbers, dtype=torch.float64) for numbers in (INPUTS, TARGETS))
    runs = {"all five lines": Run(train(x, y, config.learning_rate, config.steps), None)}
    for missing in (*LINES, "zero_grad too late"):
        name = missing if missing.startswith("zero_grad too") else f"without {missing}"
        runs[name] = train_without(x, y, config.learning_rate, config.steps, missing)
    for name, one in runs.items():
        shown = ", ".join(f"{weight:.3f}" for weight in one.weights[:5])
        print(f"{name:<20}{shown} ...; after {len(one.weights) - 1} steps {one.weights[-1]:.3f} {one.error or ''}")
    return Results((x @ y / (x @ x)).item(), runs)


def plot(results: Results) -> Figure:
    """Draw the weight by step of each run."""
    figure, axes = new_figure(7.6, 4.0)
    runs = results.runs
    steps = len(runs["all five lines"].weights) - 1
    axes.axhline(results.best_weight, color="0.7", linestyle="--")
    axes.text(steps * 1.02, results.best_weight, f"best: {results.best_weight:g}", va="bottom", color="0.4")
    axes.plot(runs["all five lines"].weights, marker=".", color="C2")
    axes.annotate("all five lines", (steps * 0.55, results.best_weight), (0, -14), textcoords="offset points",
                  color="C2", ha="center")  # fmt: skip
    swinging = runs["without zero_grad"].weights
    axes.plot(swinging, marker=".", color="C3")
    axes.annotate("without zero_grad", (3, max(swinging[:6])), (8, 6), textcoords="offset points", color="C3")
    axes.plot(runs["without step"].weights, color="C0")
    axes.annotate("without backward, without step, or with zero_grad between the two", (0, 0), (2, -14),
                  textcoords="offset points", color="C0")  # fmt: skip
    stopped = runs["without prediction"].weights
    axes.plot(stopped, color="C1")
    axes.plot(len(stopped) - 1, stopped[-1], "X", color="C1", markersize=9)
    axes.annotate("without prediction\nor loss: an error\nin step 2", (len(stopped) - 1, stopped[-1]), (12, -10),
                  textcoords="offset points", color="C1", va="center", fontsize=9)  # fmt: skip
    axes.set(
        xlabel="steps", ylabel="weight w", xlim=(-0.5, steps * 1.16), ylim=(min(swinging) - 0.4, max(swinging) + 0.4)
    )
    axes.set_xticks(range(0, steps + 1, max(1, steps // 10)))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
