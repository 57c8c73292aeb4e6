"""How much of the image does one feature see? Computed by a formula, measured by gradients.

    uv run sprints/04_advanced_training_cnn/receptive_field.py

With positive weights every pixel inside the receptive field has a gradient, and none outside. With random weights the
middle has most of it: the effective receptive field. Theory: notes/02_receptive_field.md
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything


class Layer(NamedTuple):
    """A convolution, or a pooling, which moves its window in the same way."""

    kernel: int
    stride: int = 1
    dilation: int = 1


POOL = Layer(2, stride=2)
STACKS = {
    "one 7 x 7": [Layer(7)],
    "three 3 x 3": [Layer(3)] * 3,
    "nine 3 x 3": [Layer(3)] * 9,
    "3 x 3, dilation 1, 2, 4, 8": [Layer(3, dilation=rate) for rate in (1, 2, 4, 8)],
    "LeNet-5": [Layer(5), POOL, Layer(5), POOL],
    "our ResNet for digits": [Layer(3)] * 3 + [Layer(3, stride=2), Layer(3)],
    "our ResNet for MNIST": [Layer(3), POOL, Layer(3), Layer(3), Layer(3, stride=2), Layer(3)],
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[int, ...] = (1, 2, 4, 8, 16, 32)  # layers of 3 x 3 whose effective field is measured
    draws: int = 40  # random networks per depth
    channels: int = 8  # channels of the random networks


class Field(NamedTuple):
    """Receptive field of a stack in pixels, by formula and measured, and the step between two neighbours' fields."""

    formula: int
    measured: int
    step: int
    weights: int


@dataclass(frozen=True)
class Results:
    fields: dict[str, dict[str, int]]
    depths: list[int]
    theoretical: list[int]
    predicted: list[float]
    effective: dict[str, list[float]]
    profile: dict[str, list[float]]


def receptive_field(layers: list[Layer]) -> tuple[int, int]:
    """Return the receptive field of a stack, and the step in the image from one feature to the next.

    field = 1 + sum over layers of (kernel - 1) * dilation * (product of the strides before it)
    """
    field, step = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * layer.dilation * step
        step *= layer.stride
    return field, step


def build(layers: list[Layer], channels: int, relu: bool) -> nn.Sequential:
    """Return a network of such convolutions without padding, so that no border disturbs the measurement."""
    parts: list[nn.Module] = []
    for number, (kernel, stride, dilation) in enumerate(layers):
        inputs = channels if number else 1
        parts.append(nn.Conv2d(inputs, channels, kernel, stride, dilation=dilation, bias=False))
        parts += [nn.ReLU()] * relu
    return nn.Sequential(*parts)


def middle_gradient(network: nn.Module, pixels: Tensor) -> Tensor:
    """Return the gradient of the middle feature with respect to the image: (height, width)."""
    pixels.requires_grad_()
    maps = network(pixels)
    middle = maps[0, 0, maps.shape[2] // 2, maps.shape[3] // 2]
    return torch.autograd.grad(middle, pixels)[0][0, 0]


def measure(layers: list[Layer]) -> int:
    """Return the extent of the pixels that move one feature, with all weights positive.

    Raises:
        ValueError: the field reaches the border of the image, so that it could be larger.
    """
    network = build(layers, channels=1, relu=False)
    for weight in network.parameters():
        nn.init.constant_(weight, 1 / weight[0].numel())
    field, step = receptive_field(layers)
    seen = middle_gradient(network, torch.zeros(1, 1, field + 2 * step, field + 2 * step)).amax(0).nonzero()[:, 0]
    if seen[0] == 0 or seen[-1] == field + 2 * step - 1:
        raise ValueError(f"the field must lie inside the image; it covers columns {int(seen[0])} to {int(seen[-1])}")
    return int(seen[-1] - seen[0]) + 1


def spread(gradient: Tensor) -> float:
    """Return four standard deviations of the squared gradient over the columns: the effective width in pixels."""
    mass = gradient.square().sum(0) / gradient.square().sum()
    places = torch.arange(len(mass), dtype=mass.dtype)
    mean = (mass * places).sum()
    return 4 * (mass * (places - mean).square()).sum().sqrt().item()


def predicted_width(depth: int) -> float:
    """Return the effective width of a deep linear network with independent random weights, 3 x 3.

    The expected squared gradient of a layer is uniform over its three columns, a variance of 2/3; layers convolve these
    distributions, so variances add: 4 sqrt(2 depth / 3).
    """
    return 4 * math.sqrt(2 * depth / 3)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    fields = {}
    for name, layers in STACKS.items():
        field, step = receptive_field(layers)
        weights = sum(layer.kernel**2 for layer in layers if layer != POOL)
        fields[name] = Field(field, measure(layers), step, weights)
        print(f"{name:<28}{fields[name].formula:>4} pixels by formula, {fields[name].measured:>4} measured")
    effective: dict[str, list[float]] = {"linear": [], "ReLU": []}
    profile = {}
    for depth in config.depths:
        layers = [Layer(3)] * depth
        size = receptive_field(layers)[0]
        for name, found in effective.items():
            squares = torch.zeros(size, size)
            for _ in range(config.draws):
                network = build(layers, config.channels, relu=name == "ReLU")
                gradient = middle_gradient(network, torch.randn(1, 1, size, size, generator=generator))
                # Every network counts the same; in some all paths to this feature are dead.
                squares += gradient.square() / gradient.square().sum().clamp(min=1e-30)
            found.append(spread(squares.sqrt()))
        profile[str(depth)] = (squares.sum(0) / squares.sum()).tolist()
        widths = ", ".join(f"{name} {found[-1]:.1f}" for name, found in effective.items())
        print(f"{depth:>3} layers: {size} pixels, effectively {widths}, predicted {predicted_width(depth):.1f}")
    return Results(
        fields={name: field._asdict() for name, field in fields.items()},
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
    for (name, widths), marker in zip(results.effective.items(), "os", strict=True):
        left.plot(results.depths, widths, marker=marker, label=f"effective, {name}")
    left.set(xlabel="layers of 3 x 3", ylabel="pixels", xscale="log", yscale="log")
    left.set_xticks(results.depths, [str(depth) for depth in results.depths])
    left.set_yticks([2, 4, 8, 16, 32, 64], ["2", "4", "8", "16", "32", "64"])
    left.minorticks_off()
    left.legend()
    for depth, shares in results.profile.items():
        if int(depth) >= 4:
            right.plot([place - len(shares) // 2 for place in range(len(shares))], shares, label=f"{depth} layers")
    right.set(xlabel="pixels from the middle", ylabel="share of the squared gradient", ylim=(0, None))
    right.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
