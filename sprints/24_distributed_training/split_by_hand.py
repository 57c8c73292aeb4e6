"""How do two processes compute one feed-forward network, each with half of the weights and one sum at the end?

    uv run sprints/24_distributed_training/split_by_hand.py

Cut the first matrix by its outputs and the second by its inputs. The other way round is wrong, unless one sums twice.
Theory: notes/06_splitting_a_matrix.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import MIXED, TOKEN, arrow, canvas, cells, text
from shared.lab.figures import COLOURS
from shared.lab.run import run

INPUT = [1.0, 2.0]
EXPAND = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]]  # a row for each hidden feature
CONTRACT = [[1.0, 0.0, 1.0, 2.0], [0.0, 1.0, -1.0, 1.0]]  # a row for each output


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: int = 2  # 1, 2 or 4, which have equal parts of the four hidden features

    def check(self) -> None:
        if self.processes not in (1, 2, 4):
            raise ValueError(f"four hidden features are shared by 1, 2 or 4 --processes; got {self.processes}")


@dataclass(frozen=True)
class Results:
    hidden: list[list[float]]  # of each process, after ReLU
    partial: list[list[float]]  # what each process adds to the output
    output: list[float]
    whole: list[float]  # by one process
    cut_by_inputs: list[list[float]]  # before ReLU, if the first matrix is cut by its inputs
    wrong: list[float]  # hidden features, if nobody sums before ReLU


def main(config: Config) -> Results:
    x, expand, contract = torch.tensor(INPUT), torch.tensor(EXPAND), torch.tensor(CONTRACT)
    hidden = [rows @ x for rows in expand.chunk(config.processes)]  # each process: (4 / N, 2) @ (2,)
    hidden = [part.relu() for part in hidden]
    partial = [columns @ part for columns, part in zip(contract.chunk(config.processes, dim=1), hidden, strict=True)]
    output = torch.stack(partial).sum(dim=0)  # the all-reduce
    whole = contract @ (expand @ x).relu()
    by_inputs = [columns * number for columns, number in zip(expand.T, x, strict=True)]
    wrong = torch.stack([part.relu() for part in by_inputs]).sum(dim=0)
    print(f"each process adds {[part.tolist() for part in partial]}: {output.tolist()}; one process: {whole.tolist()}")
    print(f"cut by inputs, and ReLU before the sum: hidden {wrong.tolist()} in place of {(expand @ x).relu().tolist()}")
    return Results(
        [part.tolist() for part in hidden], [part.tolist() for part in partial], output.tolist(), whole.tolist(),
        [part.tolist() for part in by_inputs], wrong.tolist(),
    )  # fmt: skip


def draw_process(axes: Axes, results: Results, rank: int, top: float) -> None:
    """Draw what one process computes, from left to right: its rows of the first matrix, its columns of the second."""
    count = len(results.hidden[rank])
    mine, colour, size = slice(rank * count, (rank + 1) * count), COLOURS[rank], 0.45
    middle = top - size

    def column(numbers: list[float], x: float, title: str, shade: str) -> None:
        cells(axes, [[number] for number in numbers], x, middle + size * len(numbers) / 2, colour=shade, size=size)
        text(axes, title, x + size / 2, top + 0.2)

    text(axes, f"process {rank}", 0.1, middle, align="left", bold=True)
    column(INPUT, 1.3, "x", TOKEN)
    cells(axes, EXPAND[mine], 2.3, middle + size * count / 2, colour=colour, size=size)
    text(axes, "its rows", 2.75, top + 0.2)
    arrow(axes, (3.3, middle), (4.0, middle), "ReLU")
    column(results.hidden[rank], 4.1, "hidden", colour)
    cells(axes, [row[mine] for row in CONTRACT], 5.1, top, colour=colour, size=size)
    text(axes, "its columns", 5.1 + size * count / 2, top + 0.2)
    arrow(axes, (5.2 + size * count, middle), (6.9, middle))
    column(results.partial[rank], 7.0, "adds", colour)


def plot(results: Results) -> Figure:
    """Draw the processes one above the other, and the sum on the right."""
    count = len(results.partial)
    figure, axes = canvas(9.6, 1.6 * count + 0.2)
    middle = 0.75 * count + 0.2
    for rank in range(count):
        top = 1.6 * count - 0.4 - 1.6 * rank
        draw_process(axes, results, rank, top)
        arrow(axes, (7.55, top - 0.45), (8.55, middle))
    text(axes, "all-reduce", 8.2, middle + 0.75)
    cells(axes, [[number] for number in results.output], 8.7, middle + 0.45, colour=MIXED, size=0.45)
    text(axes, "output", 8.92, middle + 0.62)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
