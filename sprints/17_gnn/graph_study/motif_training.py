"""Training on graphs that differ in a motif or in a ring, and what it reaches beside chance and what colours permit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graph_study.colour_refinement import permitted
from graph_study.graph_networks import AGGREGATIONS, GraphNetwork, sum_readout
from graph_study.scores import SeedScores, seed_scores
from shared.checks.intervals import error_bars, show_interval
from shared.graph.graphs import batch_graphs
from shared.graph.motif_graphs import LabelledGraphs, circular_skip_links, motifs_in_trees
from shared.graph.structural_features import DRAWN, ONES, feature_maker
from shared.lab.figures import COLOURS
from shared.lab.runtime import seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

RINGS, ONE_NODE = "circular skip links", "hexagon or two triangles, joined at one node"
JOINED_AT_ALL = "hexagon or two triangles, joined at all"


@dataclass(frozen=True)
class MotifTraining:
    """How a network is trained on a task: how much data, how wide, how long."""

    pairs: int
    copies: int
    width: int
    steps: int
    learning_rate: float
    draws: int
    device: torch.device


@dataclass(frozen=True)
class TaskScores:
    """What guessing and what any message passing reaches on a task, and what trained models do."""

    chance: float
    permitted: float
    models: dict[str, SeedScores]


def draw_splits(task: str, pairs: int, copies: int, generator: torch.Generator) -> list[LabelledGraphs]:
    """Return graphs and labels for training, validation and test (which has twice as many twins)."""
    if task == RINGS:
        return [circular_skip_links(copies, generator) for _ in range(3)]
    return [motifs_in_trees(task, pairs * times, generator) for times in (1, 1, 2)]


def train_on_task(how: MotifTraining, task: str, layer: str, num_layers: int, seed: int, features: str = ONES) -> float:
    """Train on one task and return the test accuracy of the weights that were best on the validation graphs."""
    generator = seed_everything(seed)
    splits = draw_splits(task, how.pairs, how.copies, generator)
    makers = [feature_maker(graphs, features, generator) for graphs, _ in splits]
    graphs = [batch_graphs(graphs).to(how.device) for graphs, _ in splits]
    labels = [torch.tensor(labels, device=how.device) for _, labels in splits]
    num_classes, in_features = 1 + max(splits[0][1]), makers[0]().shape[1]
    make = partial(GraphNetwork, AGGREGATIONS[layer], width=how.width, num_layers=num_layers, readouts=[sum_readout])
    model = make(in_features, num_classes).to(how.device)

    def loss_of(model: nn.Module, features: Tensor) -> tuple[Tensor, int]:
        return functional.cross_entropy(model(features, graphs[0]), labels[0], reduction="sum"), len(labels[0])

    @torch.no_grad()
    def accuracy(split: int) -> float:
        # Where features are drawn, predictions are averaged over draws.
        draws = range(how.draws if features in DRAWN else 1)
        probabilities = sum(model(makers[split]().to(how.device), graphs[split]).softmax(dim=1) for _ in draws)
        return (probabilities.argmax(dim=1) == labels[split]).float().mean().item()

    batches = iter(lambda: makers[0]().to(how.device), None)
    optimizers = make_optimizers(model, learning_rate=how.learning_rate)
    best, test = -1.0, 0.0
    for step, _ in train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=how.steps):
        if step % 10 == 0 or step == how.steps:
            model.eval()
            if (validation := accuracy(1)) > best:
                best, test = validation, accuracy(2)
            if best == 1:
                break
    return test


def train_seeds(
    how: MotifTraining, task: str, layer: str, num_layers: int, seeds: Iterable[int], features: str = ONES
) -> SeedScores:
    """Train once for each seed, which draws other graphs too."""
    return seed_scores([train_on_task(how, task, layer, num_layers, seed, features) for seed in seeds])


def task_scores(
    scores: Mapping[str, dict[str, SeedScores]], pairs: int, copies: int, generator: torch.Generator
) -> dict[str, TaskScores]:
    """Return the scores of each task beside chance and beside what colours permit on test graphs."""
    tasks = {}
    for task, models in scores.items():
        graphs, labels = draw_splits(task, pairs, copies, generator)[2]
        tasks[task] = TaskScores(1 / (1 + max(labels)), permitted(graphs, labels), models)
    return tasks


def print_tasks(tasks: Mapping[str, TaskScores]) -> None:
    """Print what was reached on each task."""
    for name, task in tasks.items():
        print(f"{name}: chance {task.chance:.0%}, colours permit {task.permitted:.0%}")
        for model, score in task.models.items():
            print(f"    {model:<28} {show_interval(*score.mean, '6.1%')}")


def draw_tasks(axes: Iterable[Any], tasks: Mapping[str, TaskScores], colour: str = COLOURS[0]) -> None:
    """Draw the accuracies of all models, a task on each of the axes, beside chance and beside what colours permit."""
    axes = list(axes)
    for column, (axis, (name, task)) in enumerate(zip(axes, tasks.items(), strict=True)):
        models = list(task.models)
        means, halves = zip(*[score.mean for score in task.models.values()], strict=True)
        axis.barh(range(len(models)), means, xerr=error_bars(halves), color=colour, height=0.7)
        axis.axvline(task.permitted, color=COLOURS[3], linestyle="--", label="what colours permit")
        axis.axvline(task.chance, color="black", linestyle=":", label="chance")
        axis.set(xlim=(0, 1.03), ylim=(len(models) - 0.5, -0.5), xlabel="test accuracy")
        axis.set_title(name.replace(", ", ",\n"), fontsize=9)
        axis.set_yticks(range(len(models)), [] if column else models, fontsize=9)
    axes[-1].legend(fontsize=8, loc="upper right", frameon=True)
