"""What is left of a matrix when it is cut to rank 1? Two rows and two columns, every number of it.

    uv run sprints/13_peft_lora/cut_to_a_rank.py
    uv run sprints/13_peft_lora/cut_to_a_rank.py --rank 2

Theory: notes/06_how_low_the_rank_is.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

CHANGE = ((4.0, 0.0), (3.0, -5.0))
KEPT = COLOURS[3]


@dataclass(frozen=True)
class Config(ScriptConfig):
    rank: PositiveInt = 1  # singular values that are kept


@dataclass(frozen=True)
class Results:
    singular_values: list[float]
    parts: list[list[list[float]]]
    kept: list[list[float]]
    energy: float
    squared_error: float


def main(config: Config) -> Results:
    change = torch.tensor(CHANGE, dtype=torch.float64)
    left, values, right = torch.linalg.svd(change)
    parts = [value * torch.outer(left[:, i], right[i]) for i, value in enumerate(values)]
    kept = torch.stack(parts[: config.rank]).sum(dim=0)
    results = Results(
        singular_values=[round(value, 6) for value in values.tolist()],
        parts=[rounded(part) for part in parts],
        kept=rounded(kept),
        energy=(values[: config.rank].square().sum() / values.square().sum()).item(),
        squared_error=(change - kept).square().sum().item(),
    )
    print(f"singular values {results.singular_values}, kept {results.kept}")
    print(f"energy kept {results.energy:.1%}, squared error {results.squared_error:.3f}")
    return results


def rounded(matrix: torch.Tensor) -> list[list[float]]:
    """Return a matrix without the noise of its last digits."""
    return [[round(number, 6) + 0.0 for number in row] for row in matrix.tolist()]


def plot(results: Results) -> Figure:
    """Draw the matrix as the sum of its two parts of rank 1, the larger one in orange."""
    figure, axes = drawings.canvas(8.2, 2.3)
    drawings.cells(axes, CHANGE, 0.4, 1.6, size=0.6, title="change")
    drawings.text(axes, "=", 1.95, 1.0, size=14)
    for index, (value, part) in enumerate(zip(results.singular_values, results.parts, strict=True)):
        x = 2.7 + 2.8 * index
        colour = drawings.TOKEN if index else KEPT
        drawings.cells(axes, part, x, 1.6, size=0.6, colour=colour, title=f"part {index + 1}")
        drawings.text(axes, f"singular value {value:.2f}", x + 0.6, 0.2)
    drawings.text(axes, "+", 4.7, 1.0, size=14)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
