"""What do a factor, a shift, and factors between random matrices make of the same layer? Every number of it.

    uv run sprints/21_adapters_and_prompts/scales_by_hand.py
    uv run sprints/21_adapters_and_prompts/scales_by_hand.py --factors 1 1

IA3, BitFit and VeRA on a layer of two features; and IA3 merged, with the bias and without. Theory:
notes/02_scales_and_biases.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from adaptation.adapted_layer import AdaptedLayer
from adaptation.bitfit import BiasLayer
from adaptation.ia3 import IA3Layer
from adaptation.vera import VeRALayer
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

W, B = ((1.0, 2.0), (0.0, 1.0)), (1.0, 2.0)  # (out, in) and (out,), frozen
X = (2.0, 1.0)
RANDOM_A, RANDOM_B = ((1.0, 1.0), (1.0, -1.0)), ((1.0, 0.0), (1.0, 1.0))  # (rank, in) and (out, rank), frozen
TRAINED = COLOURS[3]


@dataclass(frozen=True)
class Config(ScriptConfig):
    factors: tuple[float, float] = (2.0, 0.5)  # IA3: of the outputs
    shift: tuple[float, float] = (0.5, -1.0)  # BitFit: the change of the bias
    inner: tuple[float, float] = (0.5, 1.0)  # VeRA: between the random matrices
    outer: tuple[float, float] = (1.0, -1.0)  # VeRA: behind them


@dataclass(frozen=True)
class Results:
    base: list[float]
    factors: list[float]
    scaled: list[float]
    merged_weight: list[list[float]]
    merged_bias: list[float]
    merged: list[float]
    without_bias: list[float]
    shift: list[float]
    shifted: list[float]
    outer: list[float]
    hidden: list[float]
    vera_added: list[float]
    vera: list[float]


def frozen_layer() -> nn.Linear:
    """Return the layer that is adapted."""
    layer = nn.Linear(2, 2).requires_grad_(False)
    layer.weight.copy_(torch.tensor(W))
    layer.bias.copy_(torch.tensor(B))
    return layer


@torch.no_grad()
def main(config: Config) -> Results:
    x, base = torch.tensor(X), frozen_layer()(torch.tensor(X))
    ia3, bitfit = IA3Layer(frozen_layer(), feedforward=False), BiasLayer(frozen_layer())
    vera = VeRALayer(frozen_layer(), torch.tensor(RANDOM_A), torch.tensor(RANDOM_B))
    fill(ia3, factors=config.factors)
    fill(bitfit, change=config.shift)
    fill(vera, inner=config.inner, outer=config.outer)
    merged = ia3.merged()
    hidden = vera.inner * (torch.tensor(RANDOM_A) @ x)
    results = Results(
        base=base.tolist(),
        factors=list(config.factors),
        scaled=ia3(x).tolist(),
        merged_weight=merged["weight"].tolist(),
        merged_bias=merged["bias"].tolist(),
        merged=(merged["weight"] @ x + merged["bias"]).tolist(),
        without_bias=(merged["weight"] @ x + torch.tensor(B)).tolist(),
        shift=list(config.shift),
        shifted=bitfit(x).tolist(),
        outer=list(config.outer),
        hidden=hidden.tolist(),
        vera_added=(vera(x) - base).tolist(),
        vera=vera(x).tolist(),
    )
    print(f"the layer: {results.base}; IA3: {results.scaled}, BitFit: {results.shifted}, VeRA: {results.vera}")
    print(f"IA3 merged: {results.merged}; with the bias forgotten: {results.without_bias}")
    return results


def fill(layer: AdaptedLayer, **values: tuple[float, ...]) -> None:
    """Give what a layer trains these values."""
    for name, numbers in values.items():
        parameter: Tensor = layer.get_parameter(name)
        parameter.copy_(torch.tensor(numbers))


def plot(results: Results) -> Figure:
    """Draw a row for each method: the frozen output, what is trained, and what comes out."""
    figure, axes = drawings.canvas(7.2, 4.9)
    cells, arrow, text = drawings.cells, drawings.arrow, drawings.text
    base = column(results.base)
    for name, trained, sign, out, y in (
        ("IA3", results.factors, "×", results.scaled, 4.3),
        ("BitFit", results.shift, "+", results.shifted, 2.85),
    ):
        text(axes, name, 0.9, y - 0.5, align="right", bold=True)
        cells(axes, base, 1.2, y, title="W x + b" if name == "IA3" else "")
        text(axes, sign, 2.1, y - 0.5, size=14)
        cells(axes, column(trained), 2.5, y, colour=TRAINED, title="trained" if name == "IA3" else "")
        arrow(axes, (3.1, y - 0.5), (6.15, y - 0.5))
        cells(axes, column(out), 6.3, y, colour=drawings.MIXED, title="h" if name == "IA3" else "")
    y = 1.4
    text(axes, "VeRA", 0.9, y - 0.5, align="right", bold=True)
    cells(axes, base, 1.2, y)
    text(axes, "+", 2.1, y - 0.5, size=14)
    cells(axes, column(results.outer), 2.5, y, colour=TRAINED)
    text(axes, "× (", 3.25, y - 0.5, size=12)
    cells(axes, RANDOM_B, 3.6, y, title="B, random")
    cells(axes, column(results.hidden), 4.9, y, colour=TRAINED, title="l_d × A x")
    text(axes, ")", 5.55, y - 0.5, size=12)
    arrow(axes, (5.7, y - 0.5), (6.15, y - 0.5))
    cells(axes, column(results.vera), 6.3, y, colour=drawings.MIXED)
    return figure


def column(values: list[float]) -> list[list[float]]:
    """Return numbers as a matrix of one column."""
    return [[value] for value in values]


if __name__ == "__main__":
    run(main, Config, plot=plot)
