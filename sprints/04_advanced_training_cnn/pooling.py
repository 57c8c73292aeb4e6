"""What does pooling keep when a digit moves? Max pooling written out, and how far features change with the image.

    uv run sprints/04_advanced_training_cnn/pooling.py

Digits move to the right on a wider canvas, as they are, and enlarged so that strokes are wider than a pixel. Features
of random filters are pooled in several ways; the yardstick is the distance to another digit.
Theory: notes/02_receptive_field.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Digits = Annotated[int, Field(ge=2, le=1797)]  # each is compared with another one
Pixels = Annotated[int, Field(ge=0, le=64)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    images: Digits = 200  # digits to move
    filters: PositiveInt = 16  # random filters of 3 x 3
    farthest: Pixels = 4  # pixels of the farthest move
    sizes: tuple[PositiveInt, ...] = (1, 3)  # how much the digits are enlarged


@dataclass(frozen=True)
class Results:
    value_difference: float
    gradient_difference: float
    pixels_with_gradient: float
    shifts: list[int]
    changes: dict[str, dict[str, list[float]]]


def max_pool(images: Tensor, kernel: int, stride: int) -> Tensor:
    """Return the largest value under each window; its gradient goes to that pixel alone.

    Raises:
        ValueError: the window is larger than the image.
    """
    if kernel > min(images.shape[-2:]):
        raise ValueError(f"a window must fit into the image of {tuple(images.shape[-2:])} pixels; got {kernel}")
    # unfold is a view: (..., rows, columns, kernel, kernel)
    return images.unfold(-2, kernel, stride).unfold(-2, kernel, stride).flatten(-2).max(-1).values


def compare(generator: torch.Generator) -> tuple[float, float, float]:
    """Return how far values and gradients are from PyTorch's, and the share of pixels that get a gradient."""
    images = torch.randn(4, 3, 12, 12, generator=generator, dtype=torch.float64, requires_grad=True)
    ours, theirs = max_pool(images, 2, 2), functional.max_pool2d(images, 2, 2)
    direction = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    (ours_back,), (theirs_back,) = (torch.autograd.grad(pooled, images, direction) for pooled in (ours, theirs))
    with_gradient = (ours_back != 0).double().mean().item()
    return (ours - theirs).abs().max().item(), (ours_back - theirs_back).abs().max().item(), with_gradient


def change(features: Callable[[Tensor], Tensor], before: Tensor, after: Tensor) -> float:
    """Return the mean over images of |f(after) - f(before)| / |f(before)|."""
    old, new = features(before).flatten(1), features(after).flatten(1)
    return ((new - old).norm(dim=1) / old.norm(dim=1)).mean().item()


def changes_by_shift(digits: Tensor, weight: Tensor, farthest: int) -> dict[str, list[float]]:
    """Return how far each kind of features changes when the digits move, in units of the distance to another digit."""
    # As much background around as the digit may move, so that nothing falls off.
    canvas = functional.pad(digits, [4 + farthest] * 4)

    def maps(images: Tensor, stride: int = 1) -> Tensor:
        return functional.conv2d(images, weight, padding=1, stride=stride).relu()

    kinds: dict[str, Callable[[Tensor], Tensor]] = {
        "pixels": lambda images: images,
        "filters": maps,
        "filters, stride 2": lambda images: maps(images, stride=2),
        "filters, max pooling 2": lambda images: max_pool(maps(images), 2, 2),
        "filters, mean pooling 2": lambda images: functional.avg_pool2d(maps(images), 2),
        "filters, max pooling 4": lambda images: max_pool(maps(images), 4, 4),
        "filters, max over all": lambda images: maps(images).amax((2, 3)),
    }
    others = canvas.roll(1, 0)
    return {
        name: [
            change(features, canvas, canvas.roll(shift, 3)) / change(features, canvas, others)
            for shift in range(farthest + 1)
        ]
        for name, features in kinds.items()
    }


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    value, gradient, share = compare(generator)
    print(f"max pooling: values differ by {value:.0e}, gradients by {gradient:.0e}; {share:.0%} of the pixels get one")
    digits = load_digits()[0][: config.images]
    weight = torch.randn(config.filters, 1, 3, 3, generator=generator) / 3
    changes = {}
    for size in config.sizes:
        larger = functional.interpolate(digits, scale_factor=size, mode="bilinear")
        changes[f"{8 * size} x {8 * size} pixels"] = changes_by_shift(larger, weight, config.farthest)
        print(f"digits of {8 * size} x {8 * size}")
        for name, by_shift in changes[f"{8 * size} x {8 * size} pixels"].items():
            print(f"    {name:<26}" + "  ".join(f"{each:5.2f}" for each in by_shift))
    return Results(value, gradient, share, list(range(config.farthest + 1)), changes)


def plot(results: Results) -> Figure:
    """Draw the change of the features over the move of the image."""
    figure, panels = new_figure(9.0, 4.0, columns=len(results.changes))
    panels = np.ravel(panels)  # one size has one panel
    for axes, (size, changes) in zip(panels, results.changes.items(), strict=True):
        for (name, by_shift), marker in zip(changes.items(), "os^DvPX", strict=True):
            axes.plot(results.shifts, by_shift, marker=marker, label=name)
        axes.axhline(1, color="grey", linestyle="--", label="another digit")
        axes.set(xlabel="pixels to the right", xticks=results.shifts, ylim=(-0.05, 3), title=f"digits of {size}")
    panels[0].set(ylabel="change of the features")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
