"""What does it cost to keep vectors fresh? Packages change one by one; small balls follow at once, large ones wait.

    uv run sprints/26_dynamic_knowledge_graph/following.py
    SPRINTS_DATA=DIR uv run sprints/26_dynamic_knowledge_graph/following.py --preset debian

Time is counted in changes. At the end everything is computed anew and compared.
Theory: notes/12_vectors_of_neighbours.md
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from knowledge.balls import LivingVectors, ball
from knowledge.packages import draw_packages
from knowledge.sage import LinkSAGE, message_graph
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run
from shared.text.debian import dependency_links, read_packages

QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    world: Literal["drawn", "debian"] = "drawn"  # whose packages
    packages: PositiveInt = 2000  # of the drawn world
    topics: PositiveInt = 20  # of the drawn world
    width: PositiveInt = 16  # numbers of a vector
    layers: PositiveInt = 2  # how far messages travel
    changes: PositiveInt = 500  # packages whose text changes, one after the other
    at_once: NonNegativeInt = 20  # balls of so many vectors are not put off
    work: PositiveInt = 60  # vectors of the queue that are computed after each change


PRESETS = {"debian": {"world": "debian", "changes": 2000}}


@dataclass(frozen=True)
class Results:
    nodes: int
    links: int
    balls: list[float]  # quantiles of the size of the balls of all nodes: a half, 90, 99 and 100 %
    mean_ball: float
    put_off: float  # share of the changes whose ball waited
    computed: float  # states that were computed, for each change
    everything: int  # states that there are: what computing anew costs
    ages: list[float]  # quantiles of how long a vector was behind, of those that waited; in changes
    behind: list[int]  # vectors in the queue after each change
    off: float  # the largest difference from computing everything anew, at the end


def read_needs(config: Config, generator: torch.Generator) -> tuple[Tensor, int]:
    """Return who needs whom, and how many nodes there are."""
    if config.world == "drawn":
        return draw_packages(config.packages, config.topics, generator).needs, config.packages
    packages = read_packages()
    return torch.tensor(dependency_links(packages, recommended=False)).T, len(packages)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    needs, nodes = read_needs(config, generator)
    torch.manual_seed(config.seed)
    model, time = LinkSAGE(8, config.width, config.layers).eval(), [0.0]
    living = LivingVectors(model, at_once=0, clock=lambda: time[0])
    lists: list[list[int]] = [[] for _ in range(nodes)]
    for one, other in needs.T.tolist():
        lists[one].append(other)
    for node, features in enumerate(torch.randn(nodes, 8, generator=generator)):
        living.put(node, features, lists[node])
    living.refresh(list(living.features))
    sizes = np.array([len(ball([node], living.needed_by, config.layers)) for node in range(nodes)])
    living.at_once, before = config.at_once, living.computed
    waited: list[float] = []
    behind, put_off = [], 0
    for _ in tqdm(range(config.changes), "changes"):
        time[0] += 1
        node = int(torch.randint(nodes, (), generator=generator))
        put_off += living.put(node, torch.randn(8, generator=generator), lists[node]) > config.at_once
        ages = living.ages()
        waited += [ages[one] for one in living.work(config.work)]
        behind.append(len(living.ages()))
    computed = (living.computed - before) / config.changes
    while living.ages():
        time[0] += 1
        ages = living.ages()
        waited += [ages[one] for one in living.work(config.work)]
    with torch.no_grad():
        anew = model(torch.stack([living.features[node] for node in range(nodes)]), message_graph(needs, nodes))
    off = (torch.stack([living.states[-1][node] for node in range(nodes)]) - anew).abs().max().item()
    results = Results(
        nodes, needs.shape[1], np.quantile(sizes, QUANTILES).tolist(), float(sizes.mean()),
        put_off / config.changes, computed, nodes * len(living.states),
        np.quantile(waited or [0.0], QUANTILES).tolist(), behind, off,
    )  # fmt: skip
    print(f"balls: half have at most {results.balls[0]:.0f}, 99 % {results.balls[2]:.0f}, the largest {sizes.max()}")
    print(
        f"{results.put_off:.1%} of the changes had to wait; {computed:.0f} states for each, of {results.everything:,}"
    )
    print(f"of what waited, half was behind for {results.ages[0]:.0f} changes, the longest for {results.ages[3]:.0f}")
    print(f"computing everything anew differs by {off:.1e}")
    return results


def plot(results: Results) -> Figure:
    """Draw how many vectors were behind."""
    figure, axes = new_figure(7.2, 3.2)
    axes.fill_between(range(1, len(results.behind) + 1), results.behind, color=COLOURS[0], alpha=0.5)
    axes.set(xlabel="changes", ylabel="vectors that are behind", ylim=(0, None), xlim=(0, None))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"off": Tolerance(absolute=1e-4)})
