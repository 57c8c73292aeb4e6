"""How does a convolution become one matrix product? Windows as columns, and the backward pass written out.

    uv run sprints/04_advanced_training_cnn/convolution_as_product.py

Values and gradients are those of nn.Conv2d. Theory: notes/10_one_matrix_product.md
"""

import statistics
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from digit_study.geometry import GEOMETRIES, Geometry, output_size
from digit_study.stopwatch import seconds
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Size = Annotated[int, Field(ge=5, le=256)]  # so that a window of 3 x 3 fits that skips every other pixel


@dataclass(frozen=True)
class Config(ScriptConfig):
    images: PositiveInt = 2  # images of a batch
    size: Size = 9  # height and width of an image
    repeats: PositiveInt = 15  # times that each of the two is timed


@dataclass(frozen=True)
class ProductDifferences:
    """Largest differences of the matrix product from nn.Conv2d, in float64: of values, and of each gradient."""

    product: float
    gradients: dict[str, float]


@dataclass(frozen=True)
class Results:
    geometries: dict[str, ProductDifferences]
    product_to_library: float


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


def compare(
    inputs: tuple[Tensor, Tensor, Tensor], geometry: Geometry, generator: torch.Generator
) -> ProductDifferences:
    """Return how far values and gradients of the matrix product are from those of nn.Conv2d."""
    expected, ours = library(*inputs, geometry), convolve(*inputs, geometry)
    direction = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    pairs = zip(*(torch.autograd.grad(output, inputs, direction) for output in (expected, ours)), strict=True)
    differences = [(theirs - by_hand).abs().max().item() for theirs, by_hand in pairs]
    return ProductDifferences(
        product=(ours - expected).abs().max().item(),
        gradients=dict(zip(("images", "weight", "bias"), differences, strict=True)),
    )


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shapes = ((config.images, 3, config.size, config.size), (4, 3, 3, 3), (4,))
    images, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes
    )
    inputs = (images, weight, bias)
    geometries = {name: compare(inputs, geometry, generator) for name, geometry in GEOMETRIES.items()}
    for name, differences in geometries.items():
        worst = max(differences.gradients.values())
        print(f"{name:<32} values differ by {differences.product:.0e}, gradients by {worst:.0e}")
    # In turns, so that whatever else the machine does falls on both alike.
    times = [
        [seconds(multiply, *inputs, Geometry()) for multiply in (convolve, library)] for _ in range(config.repeats)
    ]
    slower = statistics.median(product / conv2d for product, conv2d in times)
    print(f"the product takes {slower:.1f} x the time of nn.Conv2d")
    return Results(geometries, slower)


if __name__ == "__main__":
    run(main, Config, tolerance={"product_to_library": TIMING})
