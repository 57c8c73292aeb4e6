"""What do linear biases do to attention? Four tokens with equal scores, then the slopes of all heads.

    uv run sprints/19_transformer_variants/alibi_by_hand.py
    uv run sprints/19_transformer_variants/alibi_by_hand.py --heads 8

All scores are 0, so the bias alone decides. Theory: notes/18_alibi.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.alibi import alibi_bias, alibi_slopes

TOKENS = 4


@dataclass(frozen=True)
class Config(ScriptConfig):
    slope: PositiveFloat = 0.5  # of the head that is worked out
    heads: PositiveInt = 4  # heads whose slopes are listed
    context: PositiveInt = 64  # positions of the trained texts


@dataclass(frozen=True)
class Head:
    """A head whose scores are all equal: how far back it looks on average, and its weight beyond the trained length."""

    slope: float
    mean_distance: float
    beyond: float


@dataclass(frozen=True)
class Results:
    slope: float
    context: int
    bias: list[list[float]]
    powers: list[float]
    weights: list[float]
    heads: list[Head]


def main(config: Config) -> Results:
    bias = alibi_bias(torch.tensor([config.slope]), TOKENS, TOKENS)[0]  # (queries, keys)
    powers = bias[-1].exp().tolist()
    weights = [power / sum(powers) for power in powers]
    shown = ", ".join(f"{power:.3f}" for power in powers)
    print(f"the last token: exponentials {shown}, weights {', '.join(f'{weight:.3f}' for weight in weights)}")
    heads = []
    for slope in alibi_slopes(config.heads).tolist():
        # Weights are a geometric series: e^(-slope) for each step back.
        step = math.exp(-slope)
        heads.append(Head(slope, step / (1 - step), step**config.context))
        print(f"slope {slope:.4f}: looks {heads[-1].mean_distance:.1f} back, {heads[-1].beyond:.2%} beyond the context")
    return Results(config.slope, config.context, bias.tolist(), powers, weights, heads)


def _shown(bias: float) -> str:
    """Return a bias with a minus sign, or 0."""
    return f"−{-bias:g}" if bias else "0"


def plot(results: Results) -> Figure:
    """Draw the biases, the weights of the last token, and the weights of every head by distance."""
    figure, axes = drawings.canvas(9.6, 3.6)
    names = [str(place) for place in range(TOKENS)]
    rows = [
        [None if key > query else _shown(bias) for key, bias in enumerate(row)]
        for query, row in enumerate(results.bias)
    ]
    drawings.cells(
        axes,
        rows,
        0.4,
        2.9,
        colour=drawings.QUERY,
        size=0.5,
        row_names=names,
        column_names=names,
        title="bias added to scores",
    )
    drawings.arrow(axes, (2.55, 1.15), (3.35, 1.15), "softmax")
    weights = [[round(weight, 3) for weight in results.weights]]
    drawings.cells(
        axes, weights, 3.5, 1.4, colour=drawings.QUERY, size=0.5, strengths=weights, title="weights of token 3"
    )
    chart = axes.inset_axes((6.35, 0.75, 3.1, 2.4), transform=axes.transData)
    distances = range(4 * results.context + 1)
    for index, head in enumerate(results.heads[:4]):
        chart.plot(distances, [math.exp(-head.slope * distance) for distance in distances], color=f"C{index}")
        height = (0.08, 0.22, 0.42, 0.6)[index]  # where there is room beside the curve
        at = min(-math.log(height) / head.slope, 3.1 * results.context)
        chart.text(at + (10 if index else 2), height + 0.03, f"1/{1 / head.slope:g}", color=f"C{index}", fontsize=9)
    chart.axvline(results.context, color="#777777", linestyle=":")
    chart.text(results.context + 4, 1.04, "trained length", fontsize=8, color="#555555")
    chart.set(xlabel="distance (positions)", ylabel="weight, nearest = 1", ylim=(0, 1.12))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
