"""Which network needs more pictures? A residual network and a vision transformer of equal size, on digits or tables.

    uv run sprints/22_pictures_and_words/which_needs_more_data.py
    uv run sprints/22_pictures_and_words/which_needs_more_data.py --preset tables

Both get the same pictures, steps and batches, and the same search for a learning rate at each amount of data, with
augmentation and without. Theory: notes/02_how_much_data.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from seeing.learning_facts import Budget, Shown, Task, accuracies, digits, learn, nearest_picture, tables
from seeing.scenes import scenes
from seeing.two_networks import networks, parameters
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run

FULL = {"rates": (0.001, 0.003, 0.01), "seeds": 5}
PRESETS = {
    "full": FULL,
    "tables": FULL
    | {
        "task": "tables",
        "amounts": (250, 1000, 4000),
        "steps": 500,
        "batch_size": 32,
        "patch": 8,
        "d_model": 48,
    },
}
SEARCH_SEED = 1000  # of the runs that choose a rate, and of no other
WAYS = (False, True)


@dataclass(frozen=True)
class Config(ScriptConfig):
    task: Literal["digits", "tables"] = "digits"  # scikit-learn's digits, or colours and places of things on a table
    amounts: tuple[PositiveInt, ...] = (50, 200, 700)  # pictures to learn from
    rates: tuple[PositiveFloat, ...] = (0.003,)  # peak learning rates to choose from
    steps: PositiveInt = 300  # optimizer steps of each run
    batch_size: PositiveInt = 64  # pictures of a step
    seeds: PositiveInt = 1  # runs of each network: other pictures, another start
    patch: PositiveInt = 2  # pixels of a patch's side
    d_model: PositiveInt = 32  # features of a token; the residual network is as large as this makes the transformer
    layers: PositiveInt = 3  # blocks of the vision transformer
    positions: PositiveFloat = 0.3  # standard deviation of its positions at the start (loud_positions.py)

    def check(self) -> None:
        check_heads(self.d_model, 4)


@dataclass(frozen=True)
class Cell:
    """One network, with augmentation or without, at one amount: its rate; by kind accuracies of all seeds, and mean."""

    network: str
    augmented: bool
    amount: int
    rate: float
    at_the_end: bool  # of the rates tried
    accuracies: dict[str, list[float]]
    intervals: dict[str, MeanInterval]


@dataclass(frozen=True)
class Results:
    parameters: dict[str, int]
    cells: list[Cell]
    nearest: dict[str, list[float]]  # accuracy of the nearest training picture's answer, by kind and amount


def load(config: Config) -> Task:
    if config.task == "digits":
        return digits()
    return tables(scenes("train", 0, max(config.amounts)), scenes("validation", 0, 500), scenes("test", 0, 1000))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    task = load(config)
    if max(config.amounts) > len(task.train):
        raise ValueError(f"there are {len(task.train)} pictures to learn from; got --amounts {config.amounts}")
    channels, _, side = task.train.pictures.shape[1:]
    transformer = (config.patch, config.d_model, config.layers, sum(task.classes), config.positions)
    makers = networks(channels, side, *transformer)
    sizes = {name: parameters(make(0)) for name, make in makers.items()}
    print(", ".join(f"{name}: {size:,} parameters" for name, size in sizes.items()))

    def score(name: str, augment: bool, amount: int, rate: float, seed: int, asked: Shown) -> dict[str, float]:
        network = makers[name](seed)
        budget = Budget(config.steps, config.batch_size)
        learn(network, some(task, amount, seed), task, budget, rate=rate, augment=augment, seed=seed)
        return accuracies(network, asked, task)

    cells, grid = [], [(name, augment, amount) for name in makers for augment in WAYS for amount in config.amounts]
    for name, augment, amount in tqdm(grid, desc="networks"):
        found = {rate: score(name, augment, amount, rate, SEARCH_SEED, task.validation) for rate in config.rates}
        best = max(found, key=lambda rate: sum(found[rate].values()))
        scores = [score(name, augment, amount, best, seed, task.test) for seed in range(config.seeds)]
        by_kind = {kind: [one[kind] for one in scores] for kind in task.kinds}
        at_the_end = len(config.rates) > 1 and best in (min(config.rates), max(config.rates))
        intervals = {kind: mean_interval(values) for kind, values in by_kind.items()}
        cells.append(Cell(name, augment, amount, best, at_the_end, by_kind, intervals))
        shown = ", ".join(f"{kind} {show_interval(*interval, '.1%')}" for kind, interval in intervals.items())
        tqdm.write(f"{name}, {'augmented' if augment else 'as they are'}, {amount:5}: rate {best:g}, {shown}")
    near = [nearest_picture(some(task, amount, 0), task.test, task) for amount in config.amounts]
    nearest = {kind: [one[kind] for one in near] for kind in task.kinds}
    print(f"the answer of the nearest picture: {nearest}")
    return Results(sizes, cells, nearest)


def some(task: Task, amount: int, seed: int) -> Shown:
    """Return so many training pictures, other ones for each seed; both networks get the same."""
    rows: Tensor = torch.randperm(len(task.train), generator=torch.Generator().manual_seed(seed))[:amount]
    return task.train[rows]


def plot(results: Results) -> Figure:
    """Draw for each kind of question the accuracy by the number of pictures."""
    kinds = list(results.nearest)
    figure, grid = new_figure(4.4 * len(kinds) + 1.4, 4.0, 1, len(kinds))
    amounts = sorted({cell.amount for cell in results.cells})
    for axes, kind in zip([grid] if len(kinds) == 1 else grid, kinds, strict=True):
        for number, name in enumerate(results.parameters):
            for augmented in WAYS:
                row = [cell for cell in results.cells if (cell.network, cell.augmented) == (name, augmented)]
                means, halves = zip(*(cell.intervals[kind] for cell in row), strict=True)
                # Side by side, so that no interval hides another.
                x = [amount * (0.97 + 0.04 * number + 0.02 * augmented) for amount in amounts]
                axes.errorbar(
                    x, [100 * mean for mean in means], [100 * half for half in error_bars(halves)], marker="o",
                    markersize=4, capsize=3, color=COLOURS[number], linestyle="-" if augmented else "--",
                    label=f"{name}, {'augmented' if augmented else 'as they are'}",
                )  # fmt: skip
        axes.plot(
            amounts, [100 * share for share in results.nearest[kind]], ":", color="#555555", label="nearest picture"
        )
        axes.set(xscale="log", xlabel="training pictures", ylabel=f"test accuracy in %: {kind}", xticks=amounts)
        axes.set_xticklabels([f"{amount:,}" for amount in amounts])
        axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return figure


if __name__ == "__main__":
    # A few steps less or more right answers on another processor; the order of the networks is the result.
    tolerance = {"cells.*": Tolerance(absolute=0.05), "cells.*.rate": Tolerance(compared=False)}
    tolerance["cells.*.at_the_end"] = Tolerance(compared=False)
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance)
