"""What bends a feed-forward network? ReLU and GELU, by value and by slope.

    uv run sprints/07_transformer_block/activations.py

GELU by its definition, x times the probability that a normal number is below x, beside GPT-2's approximation by tanh
and beside PyTorch's. Theory: notes/04_the_feed_forward_network.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.nn.blocks import ACTIVATIONS

WHOLE = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    """Activations at many places.

    Args:
        places: inputs of the curves.
        values, slopes: by activation, at these places.
        table: by activation, the values at -3, -2, ..., 3.
        furthest: how far GPT-2's approximation is from GELU at most, at these places.
        differences: how far the formulas here are from PyTorch's at most.
        lowest: the place at which GELU is lowest, and its value there.
    """

    places: list[float]
    values: dict[str, list[float]]
    slopes: dict[str, list[float]]
    table: dict[str, list[float]]
    furthest: float
    differences: dict[str, float]
    lowest: list[float]


def relu(x: float) -> float:
    return max(x, 0.0)


def gelu(x: float) -> float:
    below = 0.5 * (1 + math.erf(x / math.sqrt(2)))  # the probability that a standard normal number is below x
    return x * below


def gelu_tanh(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


FORMULAS = {"relu": relu, "gelu": gelu, "gelu_tanh": gelu_tanh}


def main(_config: Config) -> Results:
    places = torch.linspace(-4, 4, 321, dtype=torch.float64)
    values = {name: [formula(x) for x in places.tolist()] for name, formula in FORMULAS.items()}
    slopes, differences = {}, {}
    for name, library in ACTIVATIONS.items():
        x = places.clone().requires_grad_()
        differences[name] = (library(x).detach() - places.new_tensor(values[name])).abs().max().item()
        slopes[name] = torch.autograd.grad(library(x).sum(), x)[0].tolist()
    table = {name: [formula(x) for x in WHOLE] for name, formula in FORMULAS.items()}
    furthest = max(abs(a - b) for a, b in zip(values["gelu"], values["gelu_tanh"], strict=True))
    lowest = min(zip(values["gelu"], places.tolist(), strict=True))
    for name, numbers in table.items():
        print(f"{name:<10}" + " ".join(f"{number:8.4f}" for number in numbers))
    print(f"the approximation is {furthest:.1e} away at most; GELU is lowest at {lowest[1]:.2f}: {lowest[0]:.3f}")
    return Results(places.tolist(), values, slopes, table, furthest, differences, [lowest[1], lowest[0]])


def plot(results: Results) -> Figure:
    """Draw the values and the slopes of ReLU and GELU; GPT-2's approximation would lie on top of GELU."""
    figure, fields = new_figure(width=8.4, height=3.4, columns=2)
    for axes, curves, title in zip(fields, (results.values, results.slopes), ("value", "slope"), strict=True):
        axes.plot(results.places, curves["relu"], color="C1", linestyle="--")
        axes.plot(results.places, curves["gelu"], color="C0")
        axes.set(xlabel="input", ylabel=title, title=title, xlim=(-4, 4))
        axes.axhline(0, color="black", linewidth=0.6)
    fields[0].text(-2.6, 0.35, "ReLU", color="C1")
    fields[0].annotate("GELU", (-0.75, -0.17), (-0.2, -0.62), color="C0", arrowprops={"arrowstyle": "-", "color": "C0"})
    fields[0].set_ylim(-0.9, 4.1)
    fields[1].text(0.15, 0.2, "GELU", color="C0")
    fields[1].text(-3.6, 0.12, "ReLU: 0", color="C1")
    fields[1].text(2.2, 0.86, "ReLU: 1", color="C1")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"differences.*": Tolerance(absolute=1e-10)})
