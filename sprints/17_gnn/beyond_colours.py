"""What helps where message passing is blind? Random features, eigenvectors and random walks.

    uv run sprints/17_gnn/beyond_colours.py
    uv run sprints/17_gnn/beyond_colours.py --draws 1

On two tasks colours permit nothing but guessing, because all nodes start alike. The same GIN gets features that tell
nodes apart; where these are drawn, predictions are averaged over draws. Theory: notes/09_beyond_colours.md
"""

from dataclasses import dataclass
from itertools import product

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from graph_study.motif_training import (
    JOINED_AT_ALL,
    RINGS,
    MotifTraining,
    TaskScores,
    draw_tasks,
    print_tasks,
    task_scores,
    train_seeds,
)
from graph_study.options import from_options
from graph_study.scores import SeedScores
from shared.graph.structural_features import EIGENVECTORS, RANDOM, WALKS
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
    steps: PositiveInt = 250  # most optimizer steps
    learning_rate: PositiveFloat = 5e-3  # peak of AdamW's rate
    draws: PositiveInt = 16  # random features or signs whose predictions are averaged
    seeds: Seeds = (0, 1, 2)  # trainings, each with data of its own; --seed is added


@dataclass(frozen=True)
class Results:
    tasks: dict[str, TaskScores]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # graphs of a few nodes: threads would only wait for each other
    how = from_options(MotifTraining, config, device=pick_device(config.device))
    scores: dict[str, dict[str, SeedScores]] = {JOINED_AT_ALL: {}, RINGS: {}}
    for task, features in tqdm([*product(scores, (RANDOM, EIGENVECTORS, WALKS))], desc="trainings"):
        seeds = [config.seed + seed for seed in config.seeds]
        scores[task][f"GIN, {features}"] = train_seeds(how, task, "GIN (sum)", config.layers, seeds, features)
    tasks = task_scores(scores, config.pairs, config.copies, seed_everything(config.seed))
    print_tasks(tasks)
    return Results(tasks)


def plot(results: Results) -> Figure:
    """Draw accuracies beside chance and what colours permit."""
    figure, axes = new_figure(8, 2.4, columns=len(results.tasks))
    draw_tasks(axes, results.tasks, COLOURS[2])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
