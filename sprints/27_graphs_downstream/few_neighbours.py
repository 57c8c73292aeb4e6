"""Does a network learn the same if it reads a few neighbours of some nodes at a time, and what does it save?

    uv run sprints/27_graphs_downstream/few_neighbours.py
    SPRINTS_DATA=DIR uv run sprints/27_graphs_downstream/few_neighbours.py --preset debian

A made graph with hubs, or Debian's packages (DIR/debian/packages.tsv.gz) with their sections as classes. Memory is that
of a process of its own. Equal updates and equal epochs are two comparisons. Theory:
notes/13_a_few_neighbours_of_many.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.debian_nodes import debian_nodes
from downstream.hub_world import hub_world
from downstream.node_training import Nodes
from downstream.peak_memory import in_child
from downstream.sampled_training import (
    ALL,
    Needs,
    Sizes,
    Trained,
    Way,
    needs,
    train,
    updates_of_an_epoch,
    write_nodes,
)
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.graphs import Graph, without_edges
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds, Share
from shared.lab.run import run
from shared.lab.runtime import pick_device

PRESETS = {
    "debian": {
        "data": "debian", "nodes": 63_440, "features": 256, "epochs": 10, "batch_size": 1024,
        "rates": (0.003, 0.01, 0.03), "seeds": (0, 1, 2, 3, 4),
    }
}  # fmt: skip
FULL, ALONE, ALL_OF_THEM = "full batch", "no neighbours", "all of them"
SAMPLED = {"2 and 2": (2, 2), "5 and 5": (5, 5), "10 and 10": (10, 10)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["made", "debian"] = "made"  # a drawn graph, or Debian's packages
    nodes: PositiveInt = 10_000  # of the graph; Debian has 63,440
    features: PositiveInt = 64  # numbers of a node: of Debian's words an SVD makes so many
    hidden: PositiveInt = 64  # numbers of a node between the two layers
    dropout: Share = 0.5  # probability that one of them is dropped
    batch_size: PositiveInt = 128  # training nodes that a step asks for
    epochs: PositiveInt = 2  # with sampled neighbours; full batch gets as many, and as many updates
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.003, 0.01, 0.03, 0.1)  # learning rates that are tried
    seeds: Seeds = (0, 1, 2)  # of weights, dropout and draws; the first one chooses the rate


@dataclass(frozen=True)
class Arm:
    """What a way of training reached."""

    updates: int
    epochs: int
    rate: float  # best on the validation nodes
    right: MeanInterval  # share of the test nodes
    difference: MeanInterval  # to full batch with as many updates, by seed
    course: list[float]  # mean share of the validation nodes, at equal distances


@dataclass(frozen=True)
class Results:
    nodes: int
    links: int
    classes: int
    most_frequent: float  # share of the largest class of training nodes among the test nodes
    needs: dict[str, Needs]
    arms: dict[str, Arm]


def read_nodes(config: Config) -> Nodes:
    """Return the data, with each link in both directions."""
    if config.data == "made":
        generator = torch.Generator().manual_seed(config.seed)
        return hub_world(config.nodes, 20, config.features, 4, 0.6, 0.3, generator)
    nodes = debian_nodes(config.nodes, config.features, 30, config.seed).nodes
    pairs = nodes.graph.edge_index.T.sort(dim=1).values.unique(dim=0)
    return nodes._replace(graph=Graph.undirected(pairs, nodes.graph.num_nodes))


def search(
    nodes: Nodes, way: Way, sizes: Sizes, config: Config, updates: int, name: str
) -> tuple[float, list[Trained]]:
    """Return the learning rate that is best on the first seed's validation nodes, and what all seeds reach with it."""

    def trained(rate: float, seed: int) -> Trained:
        found = train(nodes, way, sizes, updates=updates, rate=rate, looks=min(10, updates), seed=config.seed + seed)
        print(f"{name}, {updates} updates, rate {rate:g}, seed {seed}: {found.test:.4f}", flush=True)
        return found

    first, *others = config.seeds
    tried = {rate: trained(rate, first) for rate in tqdm(config.rates, f"{name}: rates")}
    best = max(tried, key=lambda rate: tried[rate].val)
    return best, [tried[best], *[trained(best, seed) for seed in tqdm(others, f"{name}: seeds")]]


def compared(nodes: Nodes, ways: dict[str, Way], sizes: Sizes, config: Config) -> dict[str, Arm]:
    """Train in each way, in full batch twice: with as many updates as the others, and with as many epochs."""
    updates = config.epochs * updates_of_an_epoch(nodes, ways[ALONE])
    plan = {FULL: (ways[FULL], updates), f"{FULL}, equal epochs": (ways[FULL], config.epochs)}
    plan |= {name: (way, updates) for name, way in ways.items() if name in (*SAMPLED, ALONE)}
    arms: dict[str, Arm] = {}
    reference: list[float] = []
    for name, (way, steps) in plan.items():
        data = nodes._replace(graph=without_edges(nodes.graph)) if name == ALONE else nodes
        rate, found = search(data, way, sizes, config, steps, name)
        right = [one.test for one in found]
        reference = reference or right
        course = torch.tensor([one.course for one in found]).mean(dim=0).tolist()
        difference = mean_interval([one - other for one, other in zip(right, reference, strict=True)])
        epochs = steps // updates_of_an_epoch(nodes, way)
        arms[name] = Arm(steps, epochs, rate, mean_interval(right), difference, course)
    return arms


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    nodes, sizes, device = read_nodes(config), Sizes(config.hidden, config.dropout), pick_device(config.device)
    fanouts = {ALL_OF_THEM: (ALL, ALL), **SAMPLED}
    ways = {FULL: Way(), **{name: Way(most, config.batch_size) for name, most in (fanouts | {ALONE: (0, 0)}).items()}}
    with tempfile.TemporaryDirectory() as folder:
        write_nodes(nodes, Path(folder) / "nodes.pt")
        need = {name: in_child(needs, Path(folder) / "nodes.pt", way, sizes, 5) for name, way in ways.items()}
    moved = nodes._replace(features=nodes.features.to(device), labels=nodes.labels.to(device))
    arms = compared(moved, ways, sizes, config)
    for name in (*ways, *[name for name in arms if name not in ways]):
        print(f"{name}: {need.get(name)} {arms.get(name)}")
    largest = nodes.labels[nodes.train].bincount().argmax()
    return Results(
        nodes=len(nodes.labels),
        links=nodes.graph.num_edges // 2,
        classes=int(nodes.labels.max()) + 1,
        most_frequent=(nodes.labels[nodes.test] == largest).double().mean().item(),
        needs=need,
        arms=arms,
    )


def plot(results: Results) -> Figure:
    """Draw accuracy over memory, and validation accuracy over updates."""
    figure, (left, right) = new_figure(9.0, 3.8, columns=2)
    for colour, (name, arm) in zip(COLOURS, results.arms.items(), strict=False):
        peak, looks = results.needs[name.split(",")[0]].peak_megabytes, len(arm.course)
        steps = [arm.updates * (look + 1) / looks for look in range(looks)]
        right.plot(steps, arm.course, "o-", color=colour, markersize=3, label=name)
        if peak is not None:
            left.errorbar(peak, arm.right[0], error_bars([arm.right[1]]), fmt="o", color=colour, capsize=3)
    left.set(xscale="log", xlabel="peak memory of training (MB)", ylabel="share of test nodes right")
    right.set(xlabel="updates", ylabel="share of validation nodes right")
    right.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"arms.*": TRAINED, "needs.*": TIMING})
