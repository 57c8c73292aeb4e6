"""How far may the leaves be away until message passing fails at a question that one layer of attention answers?

    uv run sprints/27_graphs_downstream/through_one_node.py
    uv run sprints/27_graphs_downstream/through_one_node.py --preset long

NeighborsMatch (Alon & Yahav 2021): trees are drawn anew in every step, so nothing can be learnt by heart. Message
passing has one layer more than it needs. Theory: notes/10_too_much_through_one_node.md
"""

from dataclasses import dataclass
from itertools import product
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch.nn import functional
from tqdm import tqdm

from downstream.match_trees import LAYERS, MatchNetwork, draw_trees
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import seed_everything

PRESETS = {"long": {"depths": (1, 2, 3, 4), "steps": 5000, "learning_rates": (0.003, 0.01)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: Annotated[tuple[PositiveInt, ...], Different] = (1, 2, 3)  # levels below the root; 2 ** depth leaves
    width: PositiveInt = 32  # numbers of a node, a multiple of 4
    steps: PositiveInt = 600  # optimizer steps
    batch: PositiveInt = 64  # trees of a step
    learning_rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.005,)  # the best on validation trees
    test: PositiveInt = 1000  # trees for validation, and as many for the test
    seeds: Seeds = (0, 1, 2)  # each draws other weights and trees

    def check(self) -> None:
        """Check that four heads share the width."""
        if self.width % 4:
            raise ValueError(
                f"four heads share the numbers of a node: --width must be a multiple of 4, got {self.width}"
            )


@dataclass(frozen=True)
class Results:
    depths: list[int]
    chance: list[float]
    # By network and depth: mean test accuracy, and half of the 95 % interval over the seeds.
    accuracy: dict[str, list[MeanInterval]]


def train(config: Config, kind: str, depth: int, learning_rate: float, seed: int) -> tuple[float, float]:
    """Train one network, and return its accuracy on validation trees and on test trees."""
    generator = seed_everything(seed)
    model = MatchNetwork(kind, depth, config.width, 1 if kind == "transformer" else depth + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(config.steps):
        trees = draw_trees(depth, config.batch, generator)
        loss = functional.cross_entropy(model(trees), trees.answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        sets = [draw_trees(depth, config.test, generator) for _ in range(2)]
        validation, test = ((model(trees).argmax(dim=1) == trees.answers).double().mean().item() for trees in sets)
    return validation, test


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    scores: dict[str, list[MeanInterval]] = {kind: [] for kind in LAYERS}
    for kind, depth in tqdm(list(product(LAYERS, config.depths)), desc="networks and depths"):
        seeds = [config.seed + seed for seed in config.seeds]
        best = [max(train(config, kind, depth, rate, seed) for rate in config.learning_rates) for seed in seeds]
        scores[kind].append(mean_interval([test for _, test in best]))
    results = Results(list(config.depths), [1 / 2**depth for depth in config.depths], scores)
    print(f"{'leaves':<12}", "  ".join(f"{2**depth:>14}" for depth in config.depths))
    for kind, values in scores.items():
        print(f"{kind:<12}", "  ".join(f"{show_interval(mean, half, '.1%'):>14}" for mean, half in values))
    print(f"{'chance':<12}", "  ".join(f"{chance:>14.1%}" for chance in results.chance))
    return results


def plot(results: Results) -> Figure:
    """Draw accuracy against the depth of the tree."""
    figure, axis = new_figure(7.5, 4)
    for number, (kind, values) in enumerate(results.accuracy.items()):
        means, halves = zip(*values, strict=True)
        depths = [depth + 0.03 * (number - 1.5) for depth in results.depths]
        axis.errorbar(depths, means, error_bars(halves), marker="osDv"[number], markersize=5, capsize=2, label=kind)
    axis.plot(results.depths, results.chance, color="black", linestyle=":", label="chance")
    axis.set(xlabel="levels between root and leaves", ylabel="test accuracy", ylim=(0, 1.05), xticks=results.depths)
    axis.legend(fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"accuracy.*": TRAINED})
