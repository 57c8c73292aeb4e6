"""Which integers are best for two weights, and does training through rounding come to rest at them?

    uv run sprints/20_quantization_aware_training/codes_by_hand.py
    uv run sprints/20_quantization_aware_training/codes_by_hand.py --rate 0.04

All sixteen pairs of 2-bit integers, each with its best step; then one weight alone, trained through rounding, which
goes back and forth for ever. Theory: notes/05_the_best_of_65536.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from aware.least_squares import all_codes, best_steps, ends, output_error
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run

INPUTS = ((2.0, 1.0), (1.0, 2.0))  # two tokens with two features
WEIGHT = (0.7, -0.3)


@dataclass(frozen=True)
class Config(ScriptConfig):
    weight: float = 0.4  # where the one weight starts, and what its rounded value should be; the step is 1
    rate: PositiveFloat = 0.1  # learning rate of gradient descent
    updates: PositiveInt = 15  # of the one weight


@dataclass(frozen=True)
class Results:
    hessian: list[list[float]]
    codes: list[list[int]]
    steps: list[float]
    errors: list[float]  # squared errors of the outputs, with these steps
    best: list[int]
    path: list[float]  # of the one weight
    rounded: list[int]
    mean: float  # of the rounded weight over all updates


def one_weight(wanted: float, rate: float, updates: int) -> tuple[list[float], list[int]]:
    """Return where a weight goes that learns to be `wanted` after rounding, and what it is rounded to."""
    path, rounded = [wanted], [round(wanted)]
    for _ in range(updates):
        gradient = 2 * (rounded[-1] - wanted)  # of (q - wanted)^2 for q; straight through: for the weight as well
        path.append(round(path[-1] - rate * gradient, 9))
        rounded.append(round(path[-1]))
    return path, rounded


def main(config: Config) -> Results:
    inputs, weight = torch.tensor(INPUTS).double(), torch.tensor(WEIGHT).double()
    hessian, codes = inputs.T @ inputs, all_codes(2, bits=2)
    steps = best_steps(weight, hessian, codes)
    errors = output_error(weight, hessian, steps[:, None] * codes) * (weight @ hessian @ weight)
    path, rounded = one_weight(config.weight, config.rate, config.updates)
    results = Results(
        hessian=hessian.tolist(),
        codes=codes.int().tolist(),
        steps=steps.tolist(),
        errors=errors.tolist(),
        best=codes[errors.argmin()].int().tolist(),
        path=path,
        rounded=rounded,
        mean=sum(rounded[1:]) / config.updates,
    )
    print(f"weights {WEIGHT}, H = {results.hessian}; squared error of weights of 0: {weight @ hessian @ weight:.3f}")
    for code, step, error in zip(results.codes, results.steps, results.errors, strict=True):
        print(f"codes {code[0]:2d} {code[1]:2d}: best step {step:.3f}, squared error {error:.3f}")
    print(f"best codes: {results.best}")
    print("one weight: " + ", ".join(f"{at:.2f} -> {to}" for at, to in zip(path, rounded, strict=True)))
    print(f"mean of what it was rounded to: {results.mean:.2f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the errors of all codes as a table, and the way of one weight."""
    figure, (table, way) = new_figure(9.6, 3.9, columns=2)
    lowest, highest = ends(2)
    values = range(lowest, highest + 1)
    of_code = {tuple(code): error for code, error in zip(results.codes, results.errors, strict=True)}
    most = max(results.errors)
    for row, first in enumerate(values):
        for column, second in enumerate(values):
            error = of_code[first, second]
            best = [first, second] == results.best
            colour, edge = drawings.tint(COLOURS[2], 1 - error / most), "black" if best else "white"
            corner = (column - 0.48, row - 0.48)
            table.add_patch(Rectangle(corner, 0.96, 0.96, facecolor=colour, edgecolor=edge, linewidth=2 * best))
            table.text(column, row, f"{error:.3f}", ha="center", va="center", fontsize=9,
                       fontweight="bold" if best else "normal")  # fmt: skip
    table.set(xlim=(-0.55, 3.55), ylim=(3.55, -0.55), aspect="equal", xlabel="integer of the second weight",
              ylabel="integer of the first weight")  # fmt: skip
    table.set_title("squared error of the outputs, best step each", fontsize=10)
    for axis in (table.xaxis, table.yaxis):
        axis.set_ticks(range(4), [str(value).replace("-", "−") for value in values])
    table.grid(visible=False)
    way.axhline(0.5, color="#777777", linewidth=1, linestyle="--")
    way.annotate("border", (len(results.path) - 1, 0.5), xytext=(4, 6), textcoords="offset points", ha="right",
                 fontsize=8, color="#777777")  # fmt: skip
    way.plot(results.path, "o-", color=COLOURS[0], markersize=4)
    way.plot(results.rounded, "s", color=COLOURS[3], markersize=5)
    way.annotate("the weight", (0, 0.62), color=COLOURS[0])
    way.annotate("what it is rounded to", (1, 0), xytext=(0, 7), textcoords="offset points", color=COLOURS[3])
    way.axhline(results.path[0], color="black", linewidth=1)
    way.annotate("wanted", (0, results.path[0]), xytext=(0, -12), textcoords="offset points", fontsize=8)
    way.set(xlabel="update", ylabel="weight, in steps", ylim=(-0.1, 1.1))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
