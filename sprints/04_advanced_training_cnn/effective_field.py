"""How much of the receptive field counts? With random weights the middle has most of the gradient.

    uv run sprints/04_advanced_training_cnn/effective_field.py

The width of the squared gradient, over the depth of the network, beside the receptive field and beside a prediction.
Theory: notes/02_receptive_field.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from digit_study.stacks import Layer, build_stack, middle_gradient, receptive_field
from shared.lab.compare import EXACT, ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16, 32)  # layers of 3 x 3 whose effective field is measured
    draws: PositiveInt = 40  # random networks per depth
    channels: PositiveInt = 8  # channels of the random networks


@dataclass(frozen=True)
class Results:
    depths: list[int]
    theoretical: list[int]
    predicted: list[float]
    effective: dict[str, list[float]]
    profile: dict[str, list[float]]


def spread(gradient: Tensor) -> float:
    """Return four standard deviations of the squared gradient over the columns: the effective width in pixels."""
    mass = gradient.square().sum(0) / gradient.square().sum()
    columns = torch.arange(len(mass), dtype=mass.dtype)
    mean = (mass * columns).sum()
    return 4 * (mass * (columns - mean).square()).sum().sqrt().item()


def predicted_width(depth: int) -> float:
    """Return the effective width of a deep linear network with independent random weights, 3 x 3.

    The expected squared gradient of a layer is uniform over its three columns, a variance of 2/3; layers convolve these
    distributions, so variances add: 4 sqrt(2 depth / 3).
    """
    return 4 * math.sqrt(2 * depth / 3)


def mean_squared_gradient(depth: int, relu: bool, config: Config, generator: torch.Generator) -> Tensor:
    """Return the squared gradient of the middle feature, summed over random networks that all count the same.

    Raises:
        ValueError: all of them are dead.
    """
    layers = [Layer(3)] * depth
    size = receptive_field(layers)[0]
    squares = torch.zeros(size, size)
    for _ in range(config.draws):
        network = build_stack(layers, config.channels, relu)
        gradient = middle_gradient(network, torch.randn(1, 1, size, size, generator=generator))
        # In some networks all paths to this feature are dead.
        squares += gradient.square() / gradient.square().sum().clamp(min=1e-30)
    if not squares.any():
        raise ValueError(f"in none of {config.draws} networks a path is alive: give more --draws or --channels")
    return squares


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    effective: dict[str, list[float]] = {"linear": [], "ReLU": []}
    profile = {}
    for depth in config.depths:
        for kind, widths in effective.items():
            squares = mean_squared_gradient(depth, kind == "ReLU", config, generator)
            widths.append(spread(squares.sqrt()))
        profile[str(depth)] = (squares.sum(0) / squares.sum()).tolist()
        shown = ", ".join(f"{kind} {widths[-1]:.1f}" for kind, widths in effective.items())
        print(f"{depth:>3} layers: {len(squares)} pixels, effectively {shown}, predicted {predicted_width(depth):.1f}")
    return Results(
        depths=list(config.depths),
        theoretical=[receptive_field([Layer(3)] * depth)[0] for depth in config.depths],
        predicted=[predicted_width(depth) for depth in config.depths],
        effective=effective,
        profile=profile,
    )


def plot(results: Results) -> Figure:
    """Draw the effective field over the depth, and how the gradient is spread for the deepest network."""
    figure, (left, right) = new_figure(9.0, 3.6, columns=2)
    left.plot(results.depths, results.theoretical, color="black", label="receptive field")
    left.plot(results.depths, results.predicted, color="black", linestyle=":", zorder=3, label=r"$4\sqrt{2\,depth/3}$")
    for (kind, widths), marker in zip(results.effective.items(), "os", strict=True):
        left.plot(results.depths, widths, marker=marker, label=f"effective, {kind}")
    left.set(xlabel="layers of 3 x 3", ylabel="pixels", xscale="log", yscale="log")
    left.set_xticks(results.depths, [str(depth) for depth in results.depths])
    left.set_yticks([2, 4, 8, 16, 32, 64], ["2", "4", "8", "16", "32", "64"])
    left.minorticks_off()
    left.legend()
    for depth, shares in results.profile.items():
        if int(depth) >= 4:
            pixels = [pixel - len(shares) // 2 for pixel in range(len(shares))]
            right.plot(pixels, shares, label=f"{depth} layers")
    right.set(xlabel="pixels from the middle", ylabel="share of the squared gradient", ylim=(0, None))
    right.legend()
    return figure


if __name__ == "__main__":
    # The outermost pixels have hardly any gradient: what they have is rounding.
    run(
        main,
        Config,
        plot=plot,
        tolerance={"effective.*": ROUNDING, "profile.*": Tolerance(1e-3, 1e-5), "depths": EXACT},
    )
