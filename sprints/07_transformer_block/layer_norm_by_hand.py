"""What does layer norm do to one token, and to its gradient? Four features, every number of it.

    uv run sprints/07_transformer_block/layer_norm_by_hand.py
    uv run sprints/07_transformer_block/layer_norm_by_hand.py --upstream 1 1 1 1

The features are chosen so that their standard deviation is a whole number. The last line is what autograd says of
`nn.LayerNorm`. Theory: notes/03_layer_norm.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from block_study.strokes import NORM
from shared.lab import drawings
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.run import run

EPSILON = 1e-5
Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class Config(ScriptConfig):
    token: Four = (9.0, 1.0, 3.0, 3.0)  # features of the token
    upstream: Four = (4.0, 0.0, 0.0, 0.0)  # gradient that comes back to the normalised features


@dataclass(frozen=True)
class Results:
    """The steps forwards, then backwards; `gradient` is that of the token, and `difference` how far autograd's is."""

    token: list[float]
    mean: float
    centred: list[float]
    variance: float
    normalised: list[float]
    upstream: list[float]
    mean_upstream: float
    mean_product: float
    gradient: list[float]
    difference: float


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def main(config: Config) -> Results:
    token, upstream = list(config.token), list(config.upstream)
    centred = [number - mean(token) for number in token]
    variance = mean([number**2 for number in centred])
    scale = 1 / math.sqrt(variance + EPSILON)
    normalised = [number * scale for number in centred]
    along_ones = mean(upstream)
    along_normalised = mean([g * n for g, n in zip(upstream, normalised, strict=True)])
    gradient = [scale * (g - along_ones - n * along_normalised) for g, n in zip(upstream, normalised, strict=True)]
    x = torch.tensor(token, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(functional.layer_norm(x, (4,)) @ x.new_tensor(upstream), x)
    difference = (expected - x.new_tensor(gradient)).abs().max().item()
    print(f"mean {mean(token):g}, variance {variance:g}, normalised {', '.join(f'{n:.3f}' for n in normalised)}")
    print(f"mean of the gradient {along_ones:g}, of gradient times normalised {along_normalised:.3f}")
    print(f"gradient of the token {', '.join(f'{g:.3f}' for g in gradient)}; autograd differs by {difference:.0e}")
    return Results(
        token, mean(token), centred, variance, normalised, upstream, along_ones, along_normalised, gradient, difference
    )


def plot(results: Results) -> Figure:
    """Draw the steps forwards from left to right, and below them the way back from right to left."""
    figure, axes = drawings.canvas(9.6, 3.5)
    forward = [
        ("x", results.token, drawings.TOKEN),
        ("x − mean", results.centred, drawings.TOKEN),
        ("normalised", results.normalised, NORM),
    ]
    words = (f"− {results.mean:.3g}", f"÷ √{results.variance:.3g}")
    size, y = 0.52, 2.85
    for index, (title, numbers, colour) in enumerate(forward):
        x = 0.4 + 3.5 * index
        drawings.cells(axes, [[round(n, 2) for n in numbers]], x, y, colour=colour, size=size, title=title)
        if index < 2:
            drawings.arrow(axes, (x + 2.2, y - 0.26), (x + 3.4, y - 0.26), words[index])
    backward = [
        ("gradient of x", results.gradient),
        ("both means taken away", [g * math.sqrt(results.variance + EPSILON) for g in results.gradient]),
        ("gradient of normalised", results.upstream),
    ]
    words = (f"÷ √{results.variance:.3g}", f"− {results.mean_upstream:.3g} − n · {results.mean_product:.3g}")
    y = 1.05
    for index, (title, numbers) in enumerate(backward):
        x = 0.4 + 3.5 * index
        cells = [[round(n, 2) + 0.0 for n in numbers]]
        drawings.cells(axes, cells, x, y, colour=drawings.KEY, size=size, title=title)
        if index < 2:
            drawings.arrow(axes, (x + 3.4, y - 0.26), (x + 2.2, y - 0.26), words[index])
    drawings.text(axes, "forwards", 0.4, 3.35, align="left")
    drawings.text(axes, "backwards", 0.4, 1.6, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"difference": Tolerance(absolute=1e-10)})
