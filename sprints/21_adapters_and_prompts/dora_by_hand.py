"""What does DoRA change of a row of weights, and what if it takes the lengths along the wrong axis? Every number of it.

    uv run sprints/21_adapters_and_prompts/dora_by_hand.py
    uv run sprints/21_adapters_and_prompts/dora_by_hand.py --a 0 0 --lengths 10 2

A layer of two features, whose rows are arrows in a plane: B A turns the first one, the trained length stretches it.
Theory: notes/03_directions_and_lengths.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from adaptation.dora import DoRAConfig, DoRALayer
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

W = ((3.0, 4.0), (0.0, 2.0))  # (out, in), frozen
X = (2.0, 1.0)
UP = (1.0, 0.0)  # B: the second row is left alone
GRADIENT = (1.0, 0.0)  # of the first row of the weight that is used, for the two ways to go back through its length


@dataclass(frozen=True)
class Config(ScriptConfig):
    a: tuple[float, float] = (1.0, -1.0)  # A, (rank, in)
    lengths: tuple[float, float] = (10.0, 2.0)  # m, trained; 5 and 2 at the start


@dataclass(frozen=True)
class Results:
    rows: list[list[float]]
    start_lengths: list[float]
    turned: list[list[float]]
    turned_lengths: list[float]
    directions: list[list[float]]
    lengths: list[float]
    merged: list[list[float]]
    outputs: dict[str, list[float]]
    wrong_lengths: list[list[float]]
    wrong_output: list[float]
    gradient_constant: list[float]
    gradient_exact: list[float]


@torch.no_grad()
def main(config: Config) -> Results:
    weight, x = torch.tensor(W), torch.tensor(X)
    base = nn.Linear(2, 2, bias=False).requires_grad_(False)
    base.weight.copy_(weight)
    layer = DoRALayer(base, DoRAConfig(("",), rank=1, alpha=1))
    start = layer.length.tolist()
    layer.down.copy_(torch.tensor([config.a]))
    layer.up.copy_(torch.tensor(UP)[:, None])
    turned, turned_lengths = layer.direction(), layer.row_lengths()
    outputs = {"W": weight @ x, "turned": turned @ x, "turned, old lengths": layer(x)}
    layer.length.copy_(torch.tensor(config.lengths))
    outputs["turned and stretched"] = layer(x)
    # The fault: of a weight that is stored as (in, out), the rows are the inputs.
    wrong_start, wrong_now = weight.mT.norm(dim=1), turned.mT.norm(dim=1)
    results = Results(
        rows=weight.tolist(),
        start_lengths=start,
        turned=turned.tolist(),
        turned_lengths=turned_lengths.tolist(),
        directions=(turned / turned_lengths[:, None]).tolist(),
        lengths=list(config.lengths),
        merged=layer.merged()["weight"].tolist(),
        outputs={name: output.tolist() for name, output in outputs.items()},
        wrong_lengths=[wrong_start.tolist(), wrong_now.tolist()],
        wrong_output=(wrong_start / wrong_now * (turned @ x)).tolist(),
        gradient_constant=go_back(turned[0], config.lengths[0], constant=True),
        gradient_exact=go_back(turned[0], config.lengths[0], constant=False),
    )
    print(f"lengths {start}, V {results.turned} of lengths {results.turned_lengths}, directions {results.directions}")
    for name, output in results.outputs.items():
        print(f"{name}: {output}")
    print(f"lengths of the inputs {results.wrong_lengths[0]}, then {results.wrong_lengths[1]}: {results.wrong_output}")
    print(f"gradient of V's first row: {results.gradient_constant}, exact {results.gradient_exact}")
    return results


def go_back(row: Tensor, length: float, constant: bool) -> list[float]:
    """Return the gradient of a row of V behind m V / |V|, with |V| as a constant or not."""
    with torch.enable_grad():
        row = row.clone().requires_grad_()
        norm = row.detach().norm() if constant else row.norm()
        used = length * row / norm
        (gradient,) = torch.autograd.grad(used @ torch.tensor(GRADIENT), row)
    return [round(number, 5) for number in gradient.tolist()]


def plot(results: Results) -> Figure:
    """Draw the first row as an arrow: W, V of the same length, and what is used."""
    figure, axes = new_figure(6.4, 5.2)
    row, turned, used = results.rows[0], results.turned[0], results.merged[0]
    for (x, y), name, colour, place, align in (
        (used, "used: direction of V, length m", COLOURS[4], (used[0] - 0.3, used[1] + 0.45), "right"),
        (turned, "V = W + B A", COLOURS[3], (turned[0] + 0.4, turned[1] - 0.25), "left"),
        (row, "W", "#777777", (row[0] - 0.4, row[1] + 0.05), "right"),
    ):
        axes.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2})
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(*place, f"{name} ({math.hypot(x, y):g})", color=colour, ha=align, bbox=box)
    angles = torch.linspace(0, math.pi / 2, 60)
    for length in sorted({math.hypot(*row), math.hypot(*used)}):
        axes.plot(length * angles.cos(), length * angles.sin(), color="#bbbbbb", linestyle=":", zorder=0)
    most = max(map(max, (row, turned, used))) + 2.2
    axes.set(xlim=(0, most), ylim=(0, most), aspect="equal", xlabel="weight of input 1", ylabel="weight of input 2")
    axes.set_title("the first row of the weight, lengths in brackets")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
