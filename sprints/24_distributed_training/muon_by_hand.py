"""Why can a process not orthogonalise its rows of a matrix by itself? Two rows of two numbers.

    uv run sprints/24_distributed_training/muon_by_hand.py

Muon's update is the nearest orthogonal matrix. The script computes it from the singular vectors, for the whole matrix
and for each row alone. Theory: notes/05_sharded_training.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

Matrix = list[list[float]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    first: tuple[float, float] = (2.0, 3.0)  # row of process 0
    second: tuple[float, float] = (0.0, 2.0)  # row of process 1

    def check(self) -> None:
        if abs(self.first[0] * self.second[1] - self.first[1] * self.second[0]) < 1e-6:
            raise ValueError(
                "rows on one line have no nearest orthogonal matrix: --first and --second must differ in direction; "
                f"got {self.first} and {self.second}"
            )


@dataclass(frozen=True)
class Results:
    matrix: Matrix
    whole: Matrix  # nearest orthogonal matrix
    rows_alone: Matrix  # each row orthogonalised by itself
    product_whole: float  # of the two rows of the update
    product_alone: float
    largest_whole: float  # singular value of the update
    largest_alone: float


def nearest_orthogonal(matrix: Tensor) -> Tensor:
    """Return U V^T for a matrix U S V^T: the same singular vectors, and every singular value 1."""
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    return left @ right


def main(config: Config) -> Results:
    matrix = torch.tensor([config.first, config.second], dtype=torch.float64)
    whole = nearest_orthogonal(matrix)
    alone = torch.cat([nearest_orthogonal(row[None]) for row in matrix])
    largest = [torch.linalg.matrix_norm(update, ord=2).item() for update in (whole, alone)]
    print(f"whole: {whole.tolist()}\nrows alone: {alone.tolist()}")
    products = [(update[0] @ update[1]).item() for update in (whole, alone)]
    print(f"products of the rows {products}, largest singular values {largest}")
    return Results(matrix.tolist(), whole.tolist(), alone.tolist(), *products, *largest)


def draw_rows(axes: Axes, matrix: Matrix, title: str, limit: float) -> None:
    """Draw the two rows as arrows."""
    for row, colour in zip(matrix, COLOURS, strict=False):
        axes.annotate("", (row[0], row[1]), (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2})
        above = 0.06 if row[0] < 0 else -0.03  # of an arrow to the left, so that its tip is not hidden
        words = f"({row[0]:.3g}, {row[1]:.3g})".replace("-", "−")
        axes.text(row[0] + 0.04 * limit, row[1] + above * limit, words, color=colour)
    axes.set(title=title, xlim=(-0.9 * limit, 1.5 * limit), ylim=(-0.15 * limit, 1.2 * limit), aspect="equal")
    axes.set_xticks([])
    axes.set_yticks([])


def plot(results: Results) -> Figure:
    """Draw the gradient's rows, those of the right update, and those that each process would make alone."""
    figure, axes = new_figure(8.4, 2.4, columns=3)
    draw_rows(axes[0], results.matrix, "average of the gradients", 3)
    draw_rows(axes[1], results.whole, "orthogonalised whole", 1)
    draw_rows(axes[2], results.rows_alone, "each row alone", 1)
    figure.legend(
        handles=[axes[0].plot([], [], color=COLOURS[rank], label=f"row of process {rank}")[0] for rank in (0, 1)],
        loc="outside lower center", ncols=2,
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
