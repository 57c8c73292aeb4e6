"""A weight is pushed beyond the range of its grid, and wanted back: does it come?

    uv run sprints/20_quantization_aware_training/out_of_range.py
    uv run sprints/20_quantization_aware_training/out_of_range.py --pushed 20

The grid ends at 0.7. For a while the loss wants 1, then 0.3. Theory: notes/01_training_through_rounding.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from aware.fake_quantize import fake_quantize, learned_step
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run

LOWEST, HIGHEST, STEP, START = -8, 7, 0.1, 0.5
BEYOND, WITHIN = 1.0, 0.3  # what the rounded weight should be, first and then


@dataclass(frozen=True)
class Config(ScriptConfig):
    pushed: PositiveInt = 100  # steps in which the loss wants more than the grid has
    back: PositiveInt = 150  # steps after that
    learning_rate: PositiveFloat = 0.05  # of gradient descent


@dataclass(frozen=True)
class Course:
    """A weight at each step, its step size, what it is rounded to, and how late it came back, if it did."""

    weights: list[float]
    sizes: list[float]
    rounded: list[float]
    late: int | None


@dataclass(frozen=True)
class Results:
    courses: dict[str, Course]
    pushed: int


def everywhere(x: Tensor, scale: Tensor) -> Tensor:
    """Round with a gradient of 1 for whatever is rounded, also beyond the grid."""
    rounded = fake_quantize(x.detach(), scale.detach(), 0, LOWEST, HIGHEST)
    return rounded + (x - x.detach())


RULES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "on the grid only": lambda x, scale: fake_quantize(x, scale.detach(), 0, LOWEST, HIGHEST),
    "everywhere": everywhere,
    "on the grid, and the step is learnt": lambda x, scale: learned_step(x, scale, LOWEST, HIGHEST),
}


def follow(config: Config, rule: Callable[[Tensor, Tensor], Tensor]) -> Course:
    """Descend on (rounded - target)^2, and watch."""
    weight = torch.tensor([START], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor([STEP], dtype=torch.float64, requires_grad=True)
    weights, sizes, rounded = [], [], []
    for step in range(config.pushed + config.back):
        y = rule(weight, scale)
        weights.append(weight.item())
        sizes.append(scale.item())
        rounded.append(y.item())
        loss = (y - (BEYOND if step < config.pushed else WITHIN)).square().sum()
        slopes = torch.autograd.grad(loss, (weight, scale), allow_unused=True)
        for leaf, slope in zip((weight, scale), slopes, strict=True):
            if slope is not None:
                leaf.data -= config.learning_rate * slope
    # Back is within a step of what is wanted: the loss cannot ask for more.
    arrived = [abs(y - WITHIN) <= size for y, size in zip(rounded, sizes, strict=True)][config.pushed :]
    return Course(weights, sizes, rounded, arrived.index(True) if True in arrived else None)


def main(config: Config) -> Results:
    courses = {name: follow(config, rule) for name, rule in RULES.items()}
    for name, course in courses.items():
        largest = max(course.weights)
        late = "never back" if course.late is None else f"back {course.late} steps after it was wanted"
        print(f"gradient {name}: weight up to {largest:.2f}, {late}")
    return Results(courses, config.pushed)


def plot(results: Results) -> Figure:
    """Draw the weight and what it is rounded to under each rule."""
    figure, (above, below) = new_figure(8.0, 5.2, rows=2)
    for index, course in enumerate(results.courses.values()):
        for axes, values in ((above, course.weights), (below, course.rounded)):
            axes.plot(values, color=COLOURS[(0, 3, 2)[index]], linewidth=1.6 if index else 3.0)
    steps = len(next(iter(results.courses.values())).weights)
    below.step([0, results.pushed, steps], [BEYOND, BEYOND, WITHIN], where="pre", color="#777777", linestyle=":")
    below.text(1, BEYOND + 0.03, "what is wanted", fontsize=9, color="#555555")
    for index, (name, x, y) in enumerate(zip(results.courses, (205, 52, 118), (0.9, 2.6, 0.02), strict=True)):
        above.text(x, y, name, color=COLOURS[(0, 3, 2)[index]], fontsize=9, ha="right" if index == 1 else "left")
    above.set(ylabel="weight", ylim=(-0.2, 3.8))
    below.set(ylabel="rounded weight", xlabel="step of gradient descent", ylim=(0, 1.25))
    above.set_title("gradient …", fontsize=9, loc="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
