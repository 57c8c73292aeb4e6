"""What does a convolution compute? Loops, then one matrix product, then nn.Conv2d: the same numbers and gradients.

    uv run sprints/04_advanced_training_cnn/convolution.py

The figure shows what five filters made by hand find in a digit. Theory: notes/01_convolution.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything


class Geometry(NamedTuple):
    """How a window moves over an image."""

    stride: int = 1
    padding: int = 0
    dilation: int = 1


GEOMETRIES = {
    "plain": Geometry(),
    "stride 2": Geometry(stride=2),
    "padding 1": Geometry(padding=1),
    "dilation 2": Geometry(dilation=2),
    "stride 2, padding 2, dilation 3": Geometry(2, 2, 3),
}
FILTERS = {
    "upright edges": [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]],
    "level edges": [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]],
    "blur": [[1 / 9] * 3] * 3,
    "outline": [[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]],
    "slant": [[0.0, 1.0, 2.0], [-1.0, 0.0, 1.0], [-2.0, -1.0, 0.0]],
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    images: int = 2  # images of a batch
    size: int = 9  # height and width of an image
    repeats: int = 15  # times that each way is timed


@dataclass(frozen=True)
class Differences:
    """Largest differences from nn.Conv2d, in float64."""

    output_size: int
    loops: float
    product: float
    gradients: dict[str, float]


@dataclass(frozen=True)
class Results:
    geometries: dict[str, Differences]
    loops_to_library: float
    product_to_library: float
    equivariance: float
    digit: list[list[float]]
    filtered: dict[str, list[list[float]]]


def output_size(size: int, kernel: int, geometry: Geometry) -> int:
    """Return at how many places a window fits: floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.

    Raises:
        ValueError: at none.
    """
    reach = geometry.dilation * (kernel - 1) + 1
    padded = size + 2 * geometry.padding
    if reach > padded:
        raise ValueError(
            f"a window must fit: it reaches over {reach} pixels of {padded}; add padding or make it smaller"
        )
    return (padded - reach) // geometry.stride + 1


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


def windows(images: Tensor, kernel: int, geometry: Geometry) -> Tensor:
    """Return every window as a column: (images, channels * kernel * kernel, rows * columns).

    No pixel is copied before the last line: it is a view with two more axes, whose steps through memory are those of
    the window (dilation) and those inside the image (stride).
    """
    stride, padding, dilation = geometry
    rows, columns = (output_size(size, kernel, geometry) for size in images.shape[-2:])
    padded = functional.pad(images, [padding] * 4)
    image, channel, down, right = padded.stride()
    shape = (*images.shape[:2], kernel, kernel, rows, columns)
    steps = (image, channel, down * dilation, right * dilation, down * stride, right * stride)
    return padded.as_strided(shape, steps).flatten(1, 3).flatten(2)


def put_back(columns: Tensor, size: tuple[int, int], kernel: int, geometry: Geometry) -> Tensor:
    """Return images in which every window's values are added up where they came from: the transpose of `windows`."""
    stride, padding, dilation = geometry
    rows, across = (output_size(edge, kernel, geometry) for edge in size)
    values = columns.unflatten(2, (rows, across)).unflatten(1, (-1, kernel, kernel))
    padded = columns.new_zeros(*values.shape[:2], size[0] + 2 * padding, size[1] + 2 * padding)
    for row in range(kernel):
        for column in range(kernel):
            top, left = row * dilation, column * dilation
            bottom, right = top + (rows - 1) * stride + 1, left + (across - 1) * stride + 1
            padded[:, :, top:bottom:stride, left:right:stride] += values[:, :, row, column]
    return padded[:, :, padding : padding + size[0], padding : padding + size[1]]


class Convolution(torch.autograd.Function):
    """The convolution as one matrix product per image, Y = W X + b, with its backward pass written out."""

    @staticmethod
    def forward(ctx, images: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry) -> Tensor:
        columns = windows(images, weight.shape[-1], geometry)
        ctx.save_for_backward(columns, weight)
        ctx.geometry, ctx.size = geometry, images.shape[-2:]
        rows = output_size(images.shape[-2], weight.shape[-1], geometry)
        return (weight.flatten(1) @ columns + bias[:, None]).unflatten(2, (rows, -1))

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        columns, weight = ctx.saved_tensors
        output = gradients[0].flatten(2)  # dL/dY: (images, filters, places)
        to_weight = (output @ columns.mT).sum(0).view_as(weight)  # dL/dW = dL/dY X^T
        to_columns = weight.flatten(1).T @ output  # dL/dX = W^T dL/dY
        to_images = put_back(to_columns, ctx.size, weight.shape[-1], ctx.geometry)
        return to_images, to_weight, output.sum((0, 2)), None


def convolve(images: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry) -> Tensor:
    """Return the convolution by one matrix product."""
    return Convolution.apply(images, weight, bias, geometry)


def library(images: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry) -> Tensor:
    """Return what nn.Conv2d computes."""
    return functional.conv2d(images, weight, bias, *geometry)


def compare(inputs: tuple[Tensor, Tensor, Tensor], geometry: Geometry, generator: torch.Generator) -> Differences:
    """Return how far the loops and the matrix product are from nn.Conv2d."""
    expected = library(*inputs, geometry)
    ours = convolve(*inputs, geometry)
    direction = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    theirs = torch.autograd.grad(expected, inputs, direction)
    gradients = torch.autograd.grad(ours, inputs, direction)
    names = ("images", "weight", "bias")
    pairs = zip(names, theirs, gradients, strict=True)
    return Differences(
        output_size=expected.shape[-1],
        loops=(convolve_by_loops(*inputs, geometry) - expected).abs().max().item(),
        product=(ours - expected).abs().max().item(),
        gradients={name: (left - right).abs().max().item() for name, left, right in pairs},
    )


def seconds(way: Callable, *arguments: object) -> float:
    began = time.perf_counter()
    way(*arguments)
    return time.perf_counter() - began


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shapes = ((config.images, 3, config.size, config.size), (4, 3, 3, 3), (4,))
    images, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes
    )
    inputs = (images, weight, bias)
    geometries = {name: compare(inputs, geometry, generator) for name, geometry in GEOMETRIES.items()}
    for name, found in geometries.items():
        worst = max(found.gradients.values())
        print(f"{name:<32} loops {found.loops:.0e}, product {found.product:.0e}, gradients {worst:.0e}")

    ways = (convolve_by_loops, convolve, library)
    # In turns, so that whatever else the machine does falls on all three alike.
    times = [[seconds(way, *inputs, Geometry()) for way in ways] for _ in range(config.repeats)]
    loops, product = (statistics.median(row[way] / row[2] for row in times) for way in (0, 1))
    print(f"loops take {loops:,.0f} x the time of nn.Conv2d, the product {product:.1f} x")

    circular = functional.pad(images, [1] * 4, mode="circular")
    moved = functional.pad(images.roll((2, 1), (2, 3)), [1] * 4, mode="circular")
    before, after = (convolve(each, weight, bias, Geometry()) for each in (circular, moved))
    digit = load_digits()[0][:1]
    filters = torch.tensor(list(FILTERS.values()))[:, None]
    maps = convolve(digit, filters, torch.zeros(len(filters)), Geometry(padding=1))[0]
    return Results(
        geometries=geometries,
        loops_to_library=loops,
        product_to_library=product,
        equivariance=(before.roll((2, 1), (2, 3)) - after).abs().max().item(),
        digit=digit[0, 0].tolist(),
        filtered=dict(zip(FILTERS, maps.tolist(), strict=True)),
    )


def plot(results: Results) -> Figure:
    """Draw a digit, the filters, and what they find."""
    figure, axes = new_figure(9.0, 3.4, rows=2, columns=1 + len(FILTERS))
    for axis in axes.flat:
        axis.set_axis_off()
    axes[1, 0].imshow(results.digit, cmap="gray_r")
    axes[1, 0].set_title("a digit", fontsize=10)
    for column, (name, found) in enumerate(results.filtered.items(), start=1):
        for row, picture in enumerate((FILTERS[name], found)):
            most = max(abs(value) for line in picture for value in line)
            axes[row, column].imshow(picture, cmap="RdBu", vmin=-most, vmax=most)
        axes[0, column].set_title(name, fontsize=10)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
