"""What does each ingredient of the recipe give? Leave out one at a time, and all at once.

    uv run sprints/04_advanced_training_cnn/ablation.py

Trains by the recipe of train.py with other options, each case in a process of its own. Every fold of the first half
validates once with a seed of its own, and cases are compared fold by fold; the test half is left alone.
Theory: notes/06_regularisation.md
"""

import math
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from digit_study.augmentation import augmented_batches
from digit_study.evaluation import evaluate, smoothed_loss
from digit_study.images import hold_out, load_images
from digit_study.networks import build_network
from digit_study.recipe import Recipe, make_schedule
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt, Processes
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

FOLDS = 5
NO_AUGMENTATION: dict[str, Any] = {"rotation": 0.0, "scaling": 0.0, "shear": 0.0, "shift": 0.0}
CASES: dict[str, dict[str, Any]] = {
    "whole recipe": {},
    "no shifts": {"shift": 0.0},
    "no rotations": {"rotation": 0.0},
    "no scaling, no shear": {"scaling": 0.0, "shear": 0.0},
    "no augmentation": NO_AUGMENTATION,
    "with dropout 0.2": {"dropout": 0.2},
    "no label smoothing": {"label_smoothing": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "no batch norm": {"norm": False},
    "no annealing": {"schedule": "constant"},
    "nothing of these": {
        **NO_AUGMENTATION, "label_smoothing": 0.0, "weight_decay": 0.0, "norm": False,
        "schedule": "constant",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 240  # optimizer steps of a run
    seeds: PositiveInt = 5  # runs of a case; each validates on the next fold
    cases: tuple[str, ...] = tuple(CASES)  # cases to run; the first is what the others are compared with
    processes: Processes = 2  # cases that run at the same time, with one thread each

    def check(self) -> None:
        if unknown := [name for name in self.cases if name not in CASES]:
            raise ValueError(f"--cases must be out of {', '.join(CASES)}; got {unknown[0]!r}")


@dataclass(frozen=True)
class Case:
    """Scores of the last weights on the folds held out, and the change against the first case, fold by fold."""

    accuracies: list[float]
    accuracy: float
    deviation: float
    change: float
    change_error: float


@dataclass(frozen=True)
class Results:
    steps: int
    cases: dict[str, Case]


def validation_accuracy(recipe: Recipe, seed: int) -> float:
    """Train by a recipe with one seed; return the accuracy of the last weights on the fold that was held out."""
    known, _ = load_images("digits", torch.device("cpu"))
    training, validation = hold_out(known, seed % FOLDS, FOLDS)
    generator = seed_everything(seed)
    network = build_network(recipe, training.pixels.shape[-1])
    for _ in train_steps(
        network,
        augmented_batches(training, recipe, generator),
        loss_function=partial(smoothed_loss, smoothing=recipe.label_smoothing),
        optimizers=make_optimizers(network, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay),
        steps=recipe.steps,
        schedule=make_schedule(recipe),
    ):
        pass
    return evaluate(network, validation, recipe.label_smoothing).accuracy


def run_case(config: Config, name: str) -> list[float]:
    """Return the validation accuracies of a case, one for each seed."""
    keep_freed_memory()
    recipe = replace(Recipe(steps=config.steps, warmup=config.steps // 10), **CASES[name])
    return [validation_accuracy(recipe, seed) for seed in range(config.seed, config.seed + config.seeds)]


def summarise(accuracies: list[float], baseline: list[float]) -> Case:
    """Return the scores of a case beside those of the baseline."""
    changes = [after - before for after, before in zip(accuracies, baseline, strict=True)]
    several = len(changes) > 1
    return Case(
        accuracies=accuracies,
        accuracy=statistics.mean(accuracies),
        deviation=statistics.stdev(accuracies) if several else 0.0,
        change=statistics.mean(changes),
        change_error=statistics.stdev(changes) / math.sqrt(len(changes)) if several else 0.0,
    )


def main(config: Config) -> Results:
    # One thread each: maps as small as these gain nothing from a second. Started afresh, as on every system.
    with ProcessPoolExecutor(
        config.processes, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        # A single process is this one.
        run_all = map if config.processes == 1 else pool.map
        progress = tqdm(run_all(partial(run_case, config), config.cases), total=len(config.cases), unit="case")
        accuracies = dict(zip(config.cases, progress, strict=True))
    cases = {name: summarise(by_fold, accuracies[config.cases[0]]) for name, by_fold in accuracies.items()}
    for name, case in cases.items():
        print(f"{name:<22}{case.accuracy:.2%} +- {case.deviation:.2%}, ", end="")
        print(f"change {case.change:+.2%} +- {case.change_error:.2%}")
    return Results(config.steps, cases)


def plot(results: Results) -> Figure:
    """Draw the change of the accuracy of each case, with its standard error and every fold's loss or gain."""
    figure, axes = new_figure()
    first, *others = results.cases
    for row, name in enumerate(others):
        case = results.cases[name]
        folds = [after - before for after, before in zip(case.accuracies, results.cases[first].accuracies, strict=True)]
        axes.plot([100 * change for change in folds], [row] * len(folds), "o", color="lightgrey")
        axes.errorbar(100 * case.change, row, xerr=100 * case.change_error, fmt="D", color="C0", capsize=3)
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(others)), others)
    axes.invert_yaxis()
    axes.set(xlabel="change of the validation accuracy in points (grey: each fold)")
    return figure


if __name__ == "__main__":
    # A fold has 180 images: a few of them change sides between machines.
    run(main, Config, plot=plot, tolerance={"cases.*": Tolerance(absolute=0.03), "steps": EXACT})
