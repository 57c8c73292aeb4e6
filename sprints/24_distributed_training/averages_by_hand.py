"""Which average is the gradient of one process? One target here, three there, and a step in two opposite directions.

    uv run sprints/24_distributed_training/averages_by_hand.py
    uv run sprints/24_distributed_training/averages_by_hand.py --rate 0.1

The model is one weight: w x is to be y, and the loss of a target is half the square of w x - y, so that its gradient
is (w x - y) x. Theory: notes/01_one_gradient_from_two.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import distributed

from parallel_study.one_gradient import share_of_loss, sum_of_all
from parallel_study.processes import on_processes
from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

TARGETS = [[(1.0, 3.0)], [(1.0, 0.0), (2.0, 1.0), (1.0, 1.0)]]  # x and y, of each process
WEIGHT = 1.0


@dataclass(frozen=True)
class Config(ScriptConfig):
    rate: PositiveFloat = 0.4  # learning rate of the step


@dataclass(frozen=True)
class Process:
    gradients: list[float]  # of each target
    total: float  # their sum
    share: float  # gradient of what the process computes so that the mean is right
    mean: float  # gradient of the mean over its own targets


@dataclass(frozen=True)
class Outcome:
    average: float  # of the processes' gradients
    weight: float  # after a step
    loss: float  # mean over all targets after the step


@dataclass(frozen=True)
class Results:
    processes: list[Process]
    one_process: float  # gradient of the mean loss over all targets
    loss_before: float
    right: Outcome
    wrong: Outcome


def mean_loss(weight: float) -> float:
    """Return the mean loss over the targets of all processes."""
    losses = [(weight * x - y) ** 2 / 2 for targets in TARGETS for x, y in targets]
    return sum(losses) / len(losses)


def own_gradients() -> tuple[Process, float, float]:
    """Return what this process computes, and the averages over all: of shares, and of means."""
    x, y = torch.tensor(TARGETS[distributed.get_rank()]).T
    weight = torch.tensor(WEIGHT, requires_grad=True)
    summed = ((weight * x - y) ** 2 / 2).sum()
    share, mean = share_of_loss(summed, sum_of_all(len(x))), summed / len(x)
    own, averages = [], []
    for value in (share, mean):
        (gradient,) = torch.autograd.grad(value, weight, retain_graph=True)
        own.append(gradient.item())
        distributed.all_reduce(gradient)
        averages.append(gradient.item() / distributed.get_world_size())
    each = ((weight * x - y) * x).tolist()
    return Process(each, sum(each), *own), averages[0], averages[1]


def main(config: Config) -> Results:
    returned = on_processes(len(TARGETS), own_gradients)
    processes = [process for process, *_ in returned]
    every = [gradient for process in processes for gradient in process.gradients]
    outcomes = []
    for average in returned[0][1:]:
        weight = WEIGHT - config.rate * average
        outcomes.append(Outcome(average, weight, mean_loss(weight)))
    results = Results(processes, sum(every) / len(every), mean_loss(WEIGHT), *outcomes)
    for rank, process in enumerate(processes):
        print(f"process {rank}: gradients {process.gradients}, share {process.share:g}, own mean {process.mean:g}")
    print(f"one process: gradient {results.one_process:g}, loss {results.loss_before:.3f} before the step")
    for name, outcome in (("mean of shares", results.right), ("mean of means", results.wrong)):
        print(f"{name}: {outcome.average:g}, so w = {outcome.weight:.3f} and the loss is {outcome.loss:.3f}")
    return results


def draw_way(axes: Axes, own: list[float], outcome: Outcome, x: float, top: float, colour: str) -> None:
    """Draw from left to right: a number of each process, the average of both, the weight and the loss after it."""
    for rank, number in enumerate(own):
        y = top - rank * 0.6
        drawings.cells(axes, [[number]], x, y + 0.25, colour=COLOURS[(0, 1)[rank]])
        drawings.arrow(axes, (x + 0.55, y), (x + 1.0, y))
        drawings.arrow(axes, (x + 2.05, y), (x + 2.5, y))
        drawings.cells(axes, [[outcome.average, outcome.weight]], x + 2.55, y + 0.25, colour=colour)
    drawings.box(axes, "mean over\nprocesses", x + 1.05, top - 0.85, 0.95, 1.1)
    drawings.text(axes, f"loss {outcome.loss:.3f}", x + 3.65, top - 0.3, align="left", bold=True)


def plot(results: Results) -> Figure:
    """Draw the targets' gradients, and the two ways to average them, the right one above."""
    figure, axes = drawings.canvas(7.9, 3.6)
    for rank, process in enumerate(results.processes):
        y = 2.35 - rank * 0.9
        drawings.text(axes, f"process {rank}", 0.05, y + 0.4, align="left", bold=True)
        drawings.cells(axes, [process.gradients], 0.05, y + 0.25, colour=COLOURS[(0, 1)[rank]])
    drawings.text(axes, "gradients of its targets", 0.05, 3.35, align="left")
    drawings.text(axes, f"loss {results.loss_before:.3f}", 0.05, 0.85, align="left", bold=True)
    targets = sum(len(process.gradients) for process in results.processes)
    for top, words, own, outcome, colour in (
        (2.75, f"{len(results.processes)} · sum / {targets}", "share", results.right, COLOURS[2]),
        (0.95, "sum / own targets", "mean", results.wrong, COLOURS[3]),
    ):
        drawings.arrow(axes, (1.75, 2.0 if own == "share" else 1.5), (2.55, top - 0.3))
        drawings.text(axes, words, 2.9, top + 0.5)
        for place, name in enumerate(("gradient", "w")):
            drawings.text(axes, name, 5.45 + place * 0.5, top + 0.5)
        draw_way(axes, [getattr(process, own) for process in results.processes], outcome, 2.65, top, colour)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
