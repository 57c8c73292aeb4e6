"""Do trained networks reach what colour refinement permits, and no more?

    uv run sprints/17_gnn/expressive_power.py
    uv run sprints/17_gnn/expressive_power.py --seeds 0 1 2 3 4

Which of two motifs hangs on a random tree, and which ring it is: sum, weighted sum, mean and maximum beside chance and
beside what any message passing can reach. All nodes start alike. Theory: notes/08_colours.md
"""

from dataclasses import dataclass
from itertools import product

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from graph_study.graph_networks import AGGREGATIONS
from graph_study.motif_training import (
    RINGS,
    MotifTraining,
    TaskScores,
    print_tasks,
    task_scores,
    train_seeds,
)
from graph_study.options import from_options
from graph_study.scores import SeedScores
from shared.graph.motif_graphs import TASKS
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

TOLERANCE = {"tasks.*.models.*": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: PositiveInt = 50  # twins to train on; as many for validation, twice as many for the test
    copies: PositiveInt = 3  # rings of each kind to train on; as many for validation and for the test
    layers: PositiveInt = 4  # layers of message passing
    width: PositiveInt = 32  # numbers of a node between layers
    steps: PositiveInt = 100  # most optimizer steps
    learning_rate: PositiveFloat = 5e-3  # peak of AdamW's rate
    seeds: Seeds = (0, 1, 2)  # trainings, each with data of its own; --seed is added


@dataclass(frozen=True)
class Results:
    tasks: dict[str, TaskScores]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # graphs of a few nodes: threads would only wait for each other
    how = from_options(MotifTraining, config, device=pick_device(config.device), draws=1)
    scores: dict[str, dict[str, SeedScores]] = {task: {} for task in (*TASKS, RINGS)}
    for task, layer in tqdm([*product(scores, AGGREGATIONS)], desc="trainings"):
        seeds = [config.seed + seed for seed in config.seeds]
        scores[task][layer] = train_seeds(how, task, layer, config.layers, seeds)
    tasks = task_scores(scores, config.pairs, config.copies, seed_everything(config.seed))
    print_tasks(tasks)
    return Results(tasks)


def plot(results: Results) -> Figure:
    """Draw the accuracy of each seed beside chance and what colours permit."""
    figure, axes = new_figure(13, 3.0, columns=len(results.tasks))
    for column, (axis, (name, task)) in enumerate(zip(axes, results.tasks.items(), strict=True)):
        for row, score in enumerate(task.models.values()):
            # Seeds that agree would hide each other in one line.
            rows = [row + 0.16 * (seed - (len(score.test) - 1) / 2) for seed in range(len(score.test))]
            axis.plot(score.test, rows, "o", color=COLOURS[0], markersize=5)
        axis.axvline(task.permitted, color=COLOURS[3], linestyle="--", label="what colours permit")
        axis.axvline(task.chance, color="black", linestyle=":", label="chance")
        axis.set(xlim=(0, 1.05), ylim=(len(task.models) - 0.5, -0.5), xlabel="test accuracy, each seed")
        axis.set_title(name.replace(", ", ",\n"), fontsize=9)
        axis.set_yticks(range(len(task.models)), [] if column else list(task.models), fontsize=9)
    axes[-1].legend(fontsize=8, loc="lower right", frameon=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
