"""What does a convolution compute? At each place, the dot product of a filter with the window under it: nn.Conv2d.

    uv run sprints/04_advanced_training_cnn/convolution.py

The figure shows what five filters made by hand find in a digit. Theory: notes/01_convolution.md
"""

import statistics
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from digit_study.geometry import GEOMETRIES, Geometry, output_size
from digit_study.stopwatch import seconds
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

FILTERS = {
    "upright edges": [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]],
    "level edges": [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]],
    "blur": [[1 / 9] * 3] * 3,
    "outline": [[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]],
    "slant": [[0.0, 1.0, 2.0], [-1.0, 0.0, 1.0], [-2.0, -1.0, 0.0]],
}
Size = Annotated[int, Field(ge=5, le=256)]  # so that a window of 3 x 3 fits that skips every other pixel


@dataclass(frozen=True)
class Config(ScriptConfig):
    images: PositiveInt = 2  # images of a batch
    size: Size = 9  # height and width of an image
    repeats: PositiveInt = 15  # times that each of the two is timed


@dataclass(frozen=True)
class LoopDifference:
    """The size of the map, and the largest difference of the loops from nn.Conv2d, in float64."""

    output_size: int
    loops: float


@dataclass(frozen=True)
class Results:
    geometries: dict[str, LoopDifference]
    loops_to_library: float
    equivariance: float
    digit: list[list[float]]
    filtered: dict[str, list[list[float]]]


def convolve_by_loops(images: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry) -> Tensor:
    """Return the convolution: at each place, the dot product of each filter with the window under it."""
    stride, padding, dilation = geometry
    filters, _, kernel, _ = weight.shape
    rows, columns = (output_size(size, kernel, geometry) for size in images.shape[-2:])
    padded = functional.pad(images, [padding] * 4)
    reach = dilation * (kernel - 1) + 1
    values = []
    for image in padded:
        for number in range(filters):
            for top in range(0, rows * stride, stride):
                for left in range(0, columns * stride, stride):
                    window = image[:, top : top + reach : dilation, left : left + reach : dilation]
                    values.append((window * weight[number]).sum() + bias[number])
    return torch.stack(values).view(len(images), filters, rows, columns)


def library(images: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry) -> Tensor:
    """Return what nn.Conv2d computes."""
    return functional.conv2d(images, weight, bias, *geometry)


def equivariance(images: Tensor, weight: Tensor, bias: Tensor) -> float:
    """Return by how much the map of a moved image differs from the moved map, on an image without borders."""
    circular = functional.pad(images, [1] * 4, mode="circular")
    moved = functional.pad(images.roll((2, 1), (2, 3)), [1] * 4, mode="circular")
    before, after = (convolve_by_loops(padded, weight, bias, Geometry()) for padded in (circular, moved))
    return (before.roll((2, 1), (2, 3)) - after).abs().max().item()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shapes = ((config.images, 3, config.size, config.size), (4, 3, 3, 3), (4,))
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]
    geometries = {}
    for name, geometry in GEOMETRIES.items():
        expected = library(*inputs, geometry)
        difference = (convolve_by_loops(*inputs, geometry) - expected).abs().max().item()
        geometries[name] = LoopDifference(expected.shape[-1], difference)
        print(f"{name:<32} a map of {expected.shape[-1]} x {expected.shape[-1]}, loops differ by {difference:.0e}")
    # In turns, so that whatever else the machine does falls on both alike.
    times = [
        [seconds(convolve, *inputs, Geometry()) for convolve in (convolve_by_loops, library)]
        for _ in range(config.repeats)
    ]
    slower = statistics.median(loops / conv2d for loops, conv2d in times)
    print(f"loops take {slower:,.0f} x the time of nn.Conv2d")
    digit = load_digits()[0][:1]
    filters = torch.tensor(list(FILTERS.values()))[:, None]  # (filters, 1, 3, 3)
    maps = convolve_by_loops(digit, filters, torch.zeros(len(filters)), Geometry(padding=1))[0]
    return Results(
        geometries=geometries,
        loops_to_library=slower,
        equivariance=equivariance(*inputs),
        digit=digit[0, 0].tolist(),
        filtered=dict(zip(FILTERS, maps.tolist(), strict=True)),
    )


def plot(results: Results) -> Figure:
    """Draw the filters with their numbers, a digit, and what each filter finds in it; maps share a scale of colour."""
    figure, axes = new_figure(9.0, 3.9, rows=2, columns=1 + len(FILTERS))
    for axis in axes.flat:
        axis.set_axis_off()
    axes[1, 0].imshow(results.digit, cmap="gray_r", vmin=0, vmax=1)
    axes[1, 0].set_title("a digit", fontsize=10)
    most = max(abs(value) for filtered in results.filtered.values() for line in filtered for value in line)
    for column, (name, filtered) in enumerate(results.filtered.items(), start=1):
        weights, top = FILTERS[name], axes[0, column]
        largest = max(abs(weight) for line in weights for weight in line)
        top.imshow(weights, cmap="RdBu", vmin=-1.6 * largest, vmax=1.6 * largest)
        for row, line in enumerate(weights):
            for place, weight in enumerate(line):
                top.text(place, row, f"{weight:.2g}", ha="center", va="center", fontsize=9)
        top.set_title(name, fontsize=10)
        drawn = axes[1, column].imshow(filtered, cmap="RdBu", vmin=-most, vmax=most)
    figure.colorbar(drawn, ax=axes[1, :], orientation="horizontal", shrink=0.5, aspect=40, label="value in the map")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"loops_to_library": TIMING})
