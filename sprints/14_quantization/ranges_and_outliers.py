"""Which range should a grid cover? One large number makes the steps of all others coarse.

    uv run sprints/14_quantization/ranges_and_outliers.py

Three choices of range (min-max, percentile, least squared error) on three distributions, and what a single outlier
does to the rest of a weight. Theory: notes/02_which_range.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.integer_grid import (
    dequantize,
    fake_quantize,
    least_squares,
    make_grid,
    min_max,
    percentile,
    quantize,
    signal_to_noise,
)

RANGES = {
    "min-max": min_max,
    "99.9 % of the numbers": percentile(0.999),
    "99 % of the numbers": percentile(0.99),
    "least squared error": least_squares,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: tuple[Annotated[int, Field(ge=2, le=16)], ...] = (8, 4)  # sizes of the integers
    # numbers to draw; torch.quantile takes no more than 2^24
    numbers: Annotated[int, Field(ge=1, le=2**24)] = 100_000
    outlier: PositiveFloat = 100.0  # size of the outlier among numbers of standard deviation 1
    channels: PositiveInt = 64  # rows of the weight that gets an outlier


@dataclass(frozen=True)
class Results:
    decibel: dict[str, dict[str, dict[str, float]]]
    outlier_sizes: list[float]
    rest_per_tensor: list[float]
    rest_per_channel: list[float]
    rest_per_group: list[float]


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    gaussian = torch.randn(1, config.numbers, generator=generator)
    # The difference of two exponential numbers is Laplace: heavier tails than a Gaussian, here of standard deviation 1.
    exponential = -torch.rand(2, config.numbers, generator=generator).clamp(min=1e-12).log()
    laplace = ((exponential[0] - exponential[1]) / 2**0.5)[None]
    spoiled = gaussian.clone()
    spoiled[0, 0] = config.outlier
    numbers = {"Gaussian": gaussian, "Laplace": laplace, f"Gaussian and one {config.outlier:g}": spoiled}
    decibel: dict[str, dict[str, dict[str, float]]] = {}
    for name, x in numbers.items():
        decibel[name] = {}
        for bits in config.bits:
            by_range = {}
            for kind, choose in RANGES.items():
                grid = make_grid(*choose(x, bits, True), bits, symmetric=True)
                by_range[kind] = signal_to_noise(x, dequantize(quantize(x, grid), grid))
            decibel[name][str(bits)] = by_range
            print(f"{name:<22}{bits} bits, dB: " + ", ".join(f"{kind} {value:.1f}" for kind, value in by_range.items()))

    weight = torch.randn(config.channels, 256, generator=generator)
    sizes = [4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    rest: dict[str, list[float]] = {"tensor": [], "channel": [], "group": []}
    for size in sizes:
        changed = weight.clone()
        changed[0, 0] = size
        for per, ratios in rest.items():
            rounded = fake_quantize(changed, 8, per)  # ty: ignore[invalid-argument-type]
            others = torch.ones_like(weight, dtype=torch.bool)
            others[0, 0] = False
            ratios.append(signal_to_noise(changed[others], rounded[others]))
    print(f"\n8 bits, dB of all weights but an outlier of {sizes[-1]:g}:", end=" ")
    print(", ".join(f"a grid per {per} {ratios[-1]:.1f}" for per, ratios in rest.items()))
    return Results(decibel, sizes, rest["tensor"], rest["channel"], rest["group"])


def plot(results: Results) -> Figure:
    """Draw the signal-to-noise ratio of the weights beside an outlier, by its size."""
    figure, axes = new_figure()
    for name, ratios in {
        "one grid": results.rest_per_tensor,
        "a grid for each channel": results.rest_per_channel,
        "a grid for each group of 64": results.rest_per_group,
    }.items():
        axes.plot(results.outlier_sizes, ratios, marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.set(xlabel="one outlier, in standard deviations", ylabel="signal-to-noise ratio of all others, dB")
    axes.set_xticks(results.outlier_sizes, [f"{size:g}" for size in results.outlier_sizes])
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
