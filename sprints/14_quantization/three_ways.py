"""Where do integers begin and end? One output of a layer by weights alone, by dynamic and by static quantization.

    uv run sprints/14_quantization/three_ways.py
    uv run sprints/14_quantization/three_ways.py --seen 4

Three inputs, three weights, and every integer of it. Theory: notes/06_activations.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run
from shared.nn.integer_grid import Grid, dequantize, make_grid, quantize

INPUTS, WEIGHTS = (0.5, -0.25, 1.5), (0.2, -0.5, 0.9)


@dataclass(frozen=True)
class Config(ScriptConfig):
    seen: PositiveFloat = 1.0  # greatest input that the static layer was shown


@dataclass(frozen=True)
class Results:
    inputs: list[float]
    weights: list[float]
    exact: float
    weight_integers: list[int]
    dynamic_scale: float
    dynamic_zero_point: int
    dynamic_integers: list[int]
    static_integers: list[int]
    product_of_integers: int
    correction: int
    outputs: dict[str, float]


def product(x: torch.Tensor, x_grid: Grid, w: torch.Tensor, w_grid: Grid) -> tuple[int, int, float]:
    """Return sum q_x q_w, the correction z_x sum q_w, and s_x s_w times their difference."""
    q_x, q_w = quantize(x, x_grid), quantize(w, w_grid)
    total, correction = (q_x * q_w).sum(), x_grid.zero_point * q_w.sum()
    return int(total), int(correction), (x_grid.scale * w_grid.scale * (total - correction)).item()


def main(config: Config) -> Results:
    x, w = torch.tensor(INPUTS), torch.tensor(WEIGHTS)
    w_grid = make_grid(w.min(), w.max(), 8, symmetric=True)
    x_grid = make_grid(x.min(), x.max(), 8, symmetric=False)  # by the range that these inputs have
    fixed = make_grid(torch.tensor(-0.25), torch.tensor(config.seen), 8, symmetric=False)  # by what was shown before
    total, correction, dynamic = product(x, x_grid, w, w_grid)
    outputs = {
        "weights alone": (x * dequantize(quantize(w, w_grid), w_grid)).sum().item(),
        "dynamic": dynamic,
        "static": product(x, fixed, w, w_grid)[2],
    }
    exact = (x * w).sum().item()
    for name, output in outputs.items():
        print(f"{name:<14}{output:.4f}, exactly {exact:.4f}")
    return Results(
        inputs=list(INPUTS),
        weights=list(WEIGHTS),
        exact=exact,
        weight_integers=quantize(w, w_grid).int().tolist(),
        dynamic_scale=x_grid.scale.item(),
        dynamic_zero_point=int(x_grid.zero_point),
        dynamic_integers=quantize(x, x_grid).int().tolist(),
        static_integers=quantize(x, fixed).int().tolist(),
        product_of_integers=total,
        correction=correction,
        outputs=outputs,
    )


def plot(results: Results) -> Figure:
    """Draw the three ways below each other; integers are orange."""
    figure, axes = drawings.canvas(9.6, 3.9)
    ways = {
        "weights alone": ("as they are", [f"{x:g}" for x in results.inputs], "weights become numbers"),
        "dynamic": ("range of this tensor", results.dynamic_integers, "integers are multiplied"),
        "static": ("range seen before", results.static_integers, "integers are multiplied"),
    }
    for index, (name, (how, numbers, what)) in enumerate(ways.items()):
        y = 3.2 - 1.2 * index
        drawings.text(axes, name, 0.7, y - 0.2, bold=True)
        drawings.cells(axes, [[f"{x:g}" for x in results.inputs]], 1.4, y, size=0.42, colour=drawings.QUERY)
        drawings.arrow(axes, (2.75, y - 0.21), (4.2, y - 0.21))
        drawings.text(axes, how, 3.45, y + 0.05, size=8)
        colour = drawings.QUERY if index == 0 else drawings.KEY
        drawings.cells(axes, [numbers], 4.3, y, size=0.42, colour=colour)
        drawings.text(axes, "×", 5.75, y - 0.21, size=13)
        drawings.cells(axes, [results.weight_integers], 5.95, y, size=0.42, colour=drawings.KEY)
        drawings.arrow(axes, (7.3, y - 0.21), (8.55, y - 0.21))
        drawings.text(axes, what, 7.92, y + 0.05, size=8)
        drawings.cells(axes, [[f"{results.outputs[name]:.3f}"]], 8.7, y + 0.06, size=0.55, colour=drawings.MIXED)
    drawings.text(axes, "inputs", 2.03, 3.45, bold=True)
    drawings.text(axes, "what is multiplied", 4.93, 3.45, bold=True)
    drawings.text(axes, "weights, int8", 6.58, 3.45, bold=True)
    drawings.text(axes, f"exactly {results.exact:.3f}", 8.97, 3.5, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
