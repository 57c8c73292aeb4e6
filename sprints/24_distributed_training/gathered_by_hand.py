"""How can two processes use a weight of which each has one row? Gather, use, free; and share the gradient.

    uv run sprints/24_distributed_training/gathered_by_hand.py

Two processes do it with `gathered_linear`, and beside it with PyTorch's `fully_shard`.
Theory: notes/05_sharded_training.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from parallel_study.held import own
from parallel_study.processes import on_processes
from parallel_study.sharing import gathered_linear
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import TOKEN, arrow, canvas, cells, text
from shared.lab.figures import COLOURS
from shared.lab.run import run

WEIGHT = [[1.0, 2.0], [3.0, -1.0]]
INPUTS = [[1.0, 1.0], [2.0, 0.0]]  # one row for each process
SLOPES = [[1.0, 0.0], [1.0, 2.0]]  # of the loss in the outputs
ZERO, ONE = COLOURS[0], COLOURS[1]  # what belongs to a process


@dataclass(frozen=True)
class Config(ScriptConfig):
    rate: float = 0.5  # of a step of gradient descent


@dataclass(frozen=True)
class Results:
    outputs: list[list[float]]  # of each process
    local_gradients: list[list[list[float]]]  # of the whole weight, from each process's row
    own_gradients: list[list[float]]  # what each process gets: its row of the average
    of_fully_shard: list[list[float]]  # the same from PyTorch
    weight_after: list[list[float]]


def one_process() -> tuple[list[float], list[float], list[float]]:
    """Return the process's output and its part of the gradient, by hand and from `fully_shard`."""
    rank = distributed.get_rank()
    x, slope = torch.tensor([INPUTS[rank]]), torch.tensor([SLOPES[rank]])
    own_rows = torch.tensor([WEIGHT[rank]], requires_grad=True)
    output = gathered_linear(x, own_rows)
    output.backward(slope)
    layer = nn.Linear(2, 2, bias=False)
    layer.weight.data.copy_(torch.tensor(WEIGHT))
    fully_shard(layer, mesh=init_device_mesh("cpu", (2,)))
    layer(x).backward(slope)
    assert own_rows.grad is not None
    assert layer.weight.grad is not None
    return output[0].tolist(), own_rows.grad[0].tolist(), own(layer.weight.grad)[0].tolist()


def main(config: Config) -> Results:
    found = on_processes(2, one_process)
    local = [(torch.tensor([slope]).T @ torch.tensor([x])).tolist() for x, slope in zip(INPUTS, SLOPES, strict=True)]
    gradients: Tensor = torch.tensor([gradient for _, gradient, _ in found])
    after = torch.tensor(WEIGHT) - config.rate * gradients
    results = Results(
        [output for output, _, _ in found],
        local,
        gradients.tolist(),
        [theirs for _, _, theirs in found],
        after.tolist(),
    )
    for rank in range(2):
        print(f"process {rank}: output {results.outputs[rank]}, its row of the gradient {results.own_gradients[rank]}")
    print(f"fully_shard: {results.of_fully_shard}; weight after the step: {results.weight_after}")
    return results


def draw_process(axes: Axes, results: Results, rank: int, y: float) -> None:
    """Draw what one process has, from left to right."""
    colour = (ZERO, ONE)[rank]
    size, middle = 0.5, y - 0.5

    def matrix(rows: list[list[float]], x: float, title: str, only: int | None = None) -> None:
        for place, row in enumerate(rows):
            if only is None or place == only:
                shade = (ZERO, ONE)[place] if title != "own gradient" else TOKEN
                cells(axes, [row], x, y - place * size, colour=shade, size=size)
        text(axes, title, x + size, y + 0.2)

    text(axes, f"process {rank}", 0.05, middle, align="left", bold=True)
    matrix(WEIGHT, 0.95, "its row", only=rank)
    arrow(axes, (2.0, middle), (2.6, middle), "gather")
    matrix(WEIGHT, 2.65, "whole weight")
    arrow(axes, (3.7, middle), (4.2, middle), "use")
    cells(axes, [results.outputs[rank]], 4.25, middle + size / 2, colour=COLOURS[2], size=size)
    text(axes, "output", 4.75, y + 0.2)
    text(axes, "… freed,\ngathered\nagain …", 5.65, middle)
    matrix(results.local_gradients[rank], 6.1, "own gradient")
    arrow(axes, (7.15, middle), (7.9, middle), "reduce-\nscatter")
    cells(axes, [results.own_gradients[rank]], 7.95, y - rank * size, colour=colour, size=size)
    text(axes, "row of the mean", 8.45, y + 0.2)
    arrow(axes, (9.0, middle), (9.5, middle), "step")
    cells(axes, [results.weight_after[rank]], 9.55, y - rank * size, colour=colour, size=size)
    text(axes, "its row", 10.05, y + 0.2)


def plot(results: Results) -> Figure:
    """Draw both processes, one above the other; a row of the weight has the colour of the process that keeps it."""
    figure, axes = canvas(10.65, 3.4)
    for rank in range(2):
        draw_process(axes, results, rank, 2.95 - 1.6 * rank)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
