"""What does LoRA compute? One layer of six weights, every number of it.

    uv run sprints/13_peft_lora/low_rank_on_paper.py
    uv run sprints/13_peft_lora/low_rank_on_paper.py --b 0 0

W turns three features into two and is frozen; A and B, of rank 1, are trained. Theory: notes/01_low_rank_adaptation.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

W = ((1.0, 0.0, 2.0), (0.0, 1.0, -1.0))  # (out, in), frozen
A = ((1.0, 0.0, 1.0),)  # (rank, in)
X = (1.0, 2.0, 1.0)
SCALE = 2.0  # alpha / rank
TRAINED = COLOURS[3]


@dataclass(frozen=True)
class Config(ScriptConfig):
    b: tuple[float, float] = (0.5, -1.0)  # B: from one hidden number to two features


@dataclass(frozen=True)
class Results:
    b: list[float]
    frozen: list[float]
    hidden: float
    added: list[float]
    output: list[float]
    change: list[list[float]]
    merged: list[list[float]]
    merged_output: list[float]


def numbers(tensor: Tensor) -> list[float]:
    """Return the numbers of a tensor without the noise of float32."""
    return [round(number, 5) + 0.0 for number in tensor.detach().flatten().tolist()]


def main(config: Config) -> Results:
    weight, a, x = torch.tensor(W), torch.tensor(A), torch.tensor(X)
    b = torch.tensor(config.b)[:, None]  # (out, rank)
    hidden = a @ x  # (rank,): three features become one number
    added = SCALE * b @ hidden  # (out,)
    change = SCALE * b @ a  # (out, in)
    results = Results(
        b=list(config.b),
        frozen=numbers(weight @ x),
        hidden=hidden.item(),
        added=numbers(added),
        output=numbers(weight @ x + added),
        change=change.tolist(),
        merged=(weight + change).tolist(),
        merged_output=numbers((weight + change) @ x),
    )
    print(f"W x = {results.frozen}, A x = {results.hidden:g}, scale B A x = {results.added}, sum {results.output}")
    print(f"merged: {results.merged} x = {results.merged_output}")
    return results


def plot(results: Results) -> Figure:
    """Draw the change of the weight above, and the same change as a second path of the data below."""
    figure, axes = drawings.canvas(9.4, 4.9)
    cells, arrow, text = drawings.cells, drawings.arrow, drawings.text
    size, column = 0.5, [[number] for number in X]
    text(axes, "as a weight", 0.15, 4.62, align="left", bold=True)
    cells(axes, W, 0.4, 4.0, size=size, title="W, frozen")
    text(axes, "+   2 ×", 2.4, 3.5, size=12)
    cells(axes, [[number] for number in results.b], 2.95, 4.0, colour=TRAINED, size=size, title="B")
    cells(axes, A, 3.6, 3.75, colour=TRAINED, size=size, title="A")
    text(axes, "=", 5.35, 3.5, size=12)
    cells(axes, results.merged, 5.65, 4.0, colour=drawings.MIXED, size=size, title="merged")
    text(axes, "as a second path", 0.15, 2.55, align="left", bold=True)
    cells(axes, column, 0.4, 2.0, size=size, title="x")
    arrow(axes, (1.0, 1.5), (2.2, 1.85), "W x")
    cells(axes, [[number] for number in results.frozen], 2.35, 2.4, size=size)
    arrow(axes, (1.0, 1.0), (2.2, 0.65), "A x")
    cells(axes, [[results.hidden]], 2.35, 0.9, colour=TRAINED, size=size)
    arrow(axes, (2.95, 0.65), (4.35, 0.65), "2 × B")
    cells(axes, [[number] for number in results.added], 4.5, 1.15, colour=TRAINED, size=size)
    arrow(axes, (3.0, 1.9), (6.0, 1.55))
    arrow(axes, (5.1, 0.75), (6.0, 1.2))
    text(axes, "+", 6.2, 1.38, size=14)
    arrow(axes, (6.4, 1.38), (7.2, 1.38))
    cells(axes, [[number] for number in results.output], 7.35, 1.88, colour=drawings.MIXED, size=size, title="h")
    text(axes, "grey: frozen", 7.5, 3.9, align="left")
    text(axes, "orange: trained", 7.5, 3.5, align="left")
    text(axes, "purple: both together", 7.5, 3.1, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
