"""How many layers does a graph need? As many as colour refinement needs rounds.

    uv run sprints/17_gnn/layers_and_rounds.py
    uv run sprints/17_gnn/layers_and_rounds.py --width 128

A hexagon hangs on a random tree by one node, or one of two triangles does. All degrees are equal; the two part in the
third round, so two layers are at chance, however wide. Theory: notes/08_colours.md
"""

from dataclasses import dataclass

import torch
from tqdm import tqdm

from graph_study.colour_refinement import permitted
from graph_study.motif_training import ONE_NODE, MotifTraining, draw_splits, train_seeds
from graph_study.options import from_options
from graph_study.scores import SeedScores
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

TOLERANCE = {"depths.*.gin.*": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: PositiveInt = 50  # twins to train on; as many for validation, twice as many for the test
    layers: PositiveInt = 4  # most layers of message passing
    width: PositiveInt = 32  # numbers of a node between layers
    steps: PositiveInt = 100  # most optimizer steps
    learning_rate: PositiveFloat = 5e-3  # peak of AdamW's rate
    seeds: Seeds = (0, 1, 2)  # trainings, each with data of its own; --seed is added


@dataclass(frozen=True)
class DepthScores:
    """What as many rounds of colour refinement permit, and what a GIN of as many layers reaches."""

    permitted: float
    gin: SeedScores


@dataclass(frozen=True)
class Results:
    # By number of layers.
    depths: dict[str, DepthScores]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # graphs of a few nodes: threads would only wait for each other
    how = from_options(MotifTraining, config, device=pick_device(config.device), copies=0, draws=1)
    graphs, labels = draw_splits(ONE_NODE, config.pairs, 0, seed_everything(config.seed))[2]
    depths = {}
    for num_layers in tqdm(range(1, config.layers + 1), desc="depths"):
        seeds = [config.seed + seed for seed in config.seeds]
        scores = train_seeds(how, ONE_NODE, "GIN (sum)", num_layers, seeds)
        depths[str(num_layers)] = DepthScores(permitted(graphs, labels, rounds=num_layers), scores)
    for num_layers, depth in depths.items():
        print(f"{num_layers} layers: GIN {depth.gin.mean[0]:.1%}, colours permit {depth.permitted:.0%}")
    return Results(depths)


if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
