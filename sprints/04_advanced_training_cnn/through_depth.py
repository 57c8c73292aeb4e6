"""What reaches the end of a deep stack, and what comes back? With batch norm, with shortcuts, and without both.

    uv run sprints/04_advanced_training_cnn/through_depth.py

Nothing is trained: digits go once through networks of random weights, forwards and backwards, and each layer is asked
how large its features are and how large the gradient of its filters is. Theory: notes/03_batch_norm.md and
notes/04_lenet_and_resnet.md
"""

import math
import statistics
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


class Kind(NamedTuple):
    """How a stack is built: with batch norm or shortcuts, and by what factor PyTorch's initial weights are larger."""

    norm: bool = False
    shortcut: bool = False
    scale: float = 1.0


KINDS = {
    "plain": Kind(),
    # Of ReLU's features half are 0, so that filters of variance 2 / inputs keep the size (He et al. 2015); PyTorch's
    # have 1 / (3 inputs).
    "plain, He's weights": Kind(scale=math.sqrt(6)),
    "shortcuts": Kind(shortcut=True),
    "batch norm": Kind(norm=True),
    "both": Kind(norm=True, shortcut=True),
}
MARKERS = {"plain": "o-", "plain, He's weights": "v:", "shortcuts": "s--", "batch norm": "^-", "both": "D--"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: Annotated[int, Field(ge=2, le=64)] = 20  # convolutions, one after the other
    channels: PositiveInt = 16  # of each layer
    images: Annotated[int, Field(ge=2, le=898)] = 64  # digits of the batch
    draws: PositiveInt = 5  # networks of each kind


@dataclass(frozen=True)
class Depth:
    """By layer: the standard deviation of the features, and the norm of the gradient of the filters (medians)."""

    features: list[float]
    gradients: list[float]


@dataclass(frozen=True)
class Results:
    layers: int
    kinds: dict[str, Depth]


class Stack(nn.Module):
    """Convolutions with ReLU, on demand with batch norm, and with what came in added to what each makes."""

    def __init__(self, config: Config, kind: Kind) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, config.channels, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Conv2d(config.channels, config.channels, 3, padding=1, bias=False) for _ in range(config.layers)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(config.channels) if kind.norm else nn.Identity() for _ in self.layers)
        self.shortcut, self.head = kind.shortcut, nn.Linear(config.channels, 10)
        with torch.no_grad():
            for weight in self.layers.parameters():
                weight.mul_(kind.scale)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        features, kept = self.stem(images).relu(), []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            made = norm(layer(features))
            features = (features + made if self.shortcut else made).relu()
            kept.append(features)
        return self.head(features.mean((2, 3))), kept


def measure(config: Config, kind: Kind, seed: int) -> tuple[list[float], list[float]]:
    """Send digits through one network and back; return features' sizes and gradients' norms by layer."""
    seed_everything(seed)
    pixels, labels = (part[: config.images] for part in load_digits())
    network = Stack(config, kind)
    logits, features = network(pixels)
    gradients = torch.autograd.grad(functional.cross_entropy(logits, labels), list(network.layers.parameters()))
    return [each.std().item() for each in features], [gradient.norm().item() for gradient in gradients]


def main(config: Config) -> Results:
    kinds = {}
    for name, kind in KINDS.items():
        draws = [measure(config, kind, config.seed + draw) for draw in range(config.draws)]
        features, gradients = (
            [statistics.median(layer) for layer in zip(*(draw[part] for draw in draws), strict=True)] for part in (0, 1)
        )
        kinds[name] = Depth(features, gradients)
        print(f"{name:<20} features {features[0]:.2g} to {features[-1]:.2g}, ", end="")
        print(f"gradient of the first layer {gradients[0]:.1e}, of the last {gradients[-1]:.1e}")
    return Results(config.layers, kinds)


def plot(results: Results) -> Figure:
    """Draw the size of features and of gradients by layer."""
    figure, (left, right) = new_figure(8.4, 3.8, columns=2)
    numbers = range(1, results.layers + 1)
    for number, (name, depth) in enumerate(results.kinds.items()):
        left.plot(numbers, depth.features, MARKERS[name], color=f"C{number}", label=name, markersize=4)
        right.plot(numbers, depth.gradients, MARKERS[name], color=f"C{number}", markersize=4)
    for axes, what in ((left, "standard deviation of the features"), (right, "norm of the filters' gradient")):
        axes.set(xlabel="layer", ylabel=what, yscale="log", xlim=(0, results.layers + 1))
    left.set_title("forwards", fontsize=10)
    right.set_title("backwards", fontsize=10)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=9)
    return figure


if __name__ == "__main__":
    # Tiny numbers that went through twenty layers keep fewer digits.
    run(main, Config, plot=plot, tolerance={"*": ROUNDING, "kinds.*": Tolerance(relative=0.01)})
