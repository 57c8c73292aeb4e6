"""What does an index pick, and does a write reach the tensor?

    uv run sprints/01_setup_and_basics/indexing.py

Slices are views, lists and masks are copies; a repeated index is written once; `gather` picks one element a row, which
is how a cross-entropy finds the label's probability. Theory: notes/03_indexing.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab.compare import EXACT, ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    draws: PositiveInt = 1000  # numbers whose frequencies are counted
    bins: PositiveInt = 10  # different numbers


@dataclass(frozen=True)
class Pick:
    shape: list[int]
    elements: list[int]
    shares_memory: bool


@dataclass(frozen=True)
class Results:
    picks: dict[str, Pick]
    counted: dict[str, int]
    written: dict[str, bool]
    gather_difference: float
    cross_entropy_difference: float


PICKS: dict[str, Callable[[Tensor], Tensor]] = {
    "x[1]": lambda x: x[1],
    "x[:, 1:3]": lambda x: x[:, 1:3],
    "x[[0, 2]]": lambda x: x[[0, 2]],
    "x[[0, 2], [1, 3]]": lambda x: x[[0, 2], [1, 3]],
    "x[[0, 2]][:, [1, 3]]": lambda x: x[[0, 2]][:, [1, 3]],
    "x[x % 3 == 0]": lambda x: x[x % 3 == 0],
    "x.gather(1, [[3], [0], [2]])": lambda x: x.gather(1, torch.tensor([[3], [0], [2]])),
    "x[..., -1]": lambda x: x[..., -1],
}


def gather(source: Tensor, index: Tensor) -> Tensor:
    """Return for each row the elements at its indices: result[row, column] = source[row, index[row, column]]."""
    result = source.new_empty(index.shape)
    for row in range(index.shape[0]):
        for column in range(index.shape[1]):
            result[row, column] = source[row, index[row, column]]
    return result


def count_each(numbers: Tensor, bins: int) -> dict[str, int]:
    """Return how many numbers four ways of counting find in all."""
    ones = torch.ones_like(numbers)
    counts = {name: torch.zeros(bins, dtype=torch.long) for name in ("indexed += 1", "index_add_", "index_put_")}
    counts["indexed += 1"][numbers] += 1
    counts["index_add_"].index_add_(0, numbers, ones)
    counts["index_put_"].index_put_((numbers,), ones, accumulate=True)
    counts["bincount"] = torch.bincount(numbers, minlength=bins)
    return {name: int(count.sum()) for name, count in counts.items()}


def writes_that_arrive() -> dict[str, bool]:
    """Return which assignments change the tensor that they seem to name."""
    arrives = {}
    x = torch.zeros(3, 4)
    x[[0, 2]] = 1
    arrives["x[[0, 2]] = 1"] = bool(x.any())
    x = torch.zeros(3, 4)
    x[0:2][0] = 1
    arrives["x[0:2][0] = 1"] = bool(x.any())
    x = torch.zeros(3, 4)
    x[[0, 2]][0] = 1
    arrives["x[[0, 2]][0] = 1"] = bool(x.any())
    return arrives


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    x = torch.arange(12).view(3, 4)
    picks = {}
    for name, pick in PICKS.items():
        picked = pick(x)
        shares = picked.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        picks[name] = Pick(list(picked.shape), picked.flatten().tolist(), shares)
        print(f"{name:<30} {'view' if shares else 'copy'}  {picked.tolist()}")

    numbers = torch.randint(config.bins, (config.draws,), generator=generator)
    counted = count_each(numbers, config.bins)
    for name, count in counted.items():
        print(f"{name:<30} finds {count} of {config.draws} numbers")
    written = writes_that_arrive()
    for name, arrives in written.items():
        print(f"{name:<30} {'changes x' if arrives else 'changes a copy, which is thrown away'}")

    log_probabilities = torch.randn(50, 7, generator=generator, dtype=torch.float64).log_softmax(dim=1)
    labels = torch.randint(7, (50,), generator=generator)
    ours, theirs = gather(log_probabilities, labels[:, None]), log_probabilities.gather(1, labels[:, None])
    loss = -log_probabilities[torch.arange(50), labels].mean()
    gather_difference = (ours - theirs).abs().max().item()
    loss_difference = abs(loss - functional.cross_entropy(log_probabilities, labels)).item()
    print(f"gather by hand differs by {gather_difference:.0e}, the cross-entropy from it by {loss_difference:.0e}")
    return Results(picks, counted, written, gather_difference, loss_difference)


def plot(results: Results) -> Figure:
    """Draw which elements of a matrix of 3 x 4 each index picks, views in one colour and copies in another."""
    figure, axes = new_figure(9, 4.2, rows=2, columns=4)
    for panel, (name, pick) in zip(axes.flat, results.picks.items(), strict=True):
        picked = np.isin(np.arange(12), pick.elements).reshape(3, 4) * (1 if pick.shares_memory else 2)
        panel.imshow(picked, cmap=ListedColormap(["#EEEEEE", COLOURS[5], COLOURS[1]]), vmin=0, vmax=2)
        for (row, column), kind in np.ndenumerate(picked):
            panel.text(column, row, 4 * row + column, ha="center", va="center", weight="bold" if kind else "normal")
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"{name}\n{'view' if pick.shares_memory else 'copy'}, shape {tuple(pick.shape)}", fontsize=9)
        panel.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT, "cross_entropy_difference": ROUNDING})
