"""How much of a graph does a batch of nodes read within two steps, with all neighbours and with a few?

    uv run sprints/27_graphs_downstream/nodes_of_a_batch.py
    SPRINTS_DATA=DIR uv run sprints/27_graphs_downstream/nodes_of_a_batch.py --preset debian

A made graph with hubs, or the dependencies of Debian's packages (DIR/debian/packages.tsv.gz), with directions dropped.
Theory: notes/13_a_few_neighbours_of_many.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure

from downstream.hub_world import hub_world
from shared.graph.graphs import Graph
from shared.graph.neighbour_sampling import NeighbourSampler
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run
from shared.text.debian import dependency_links, read_packages

PRESETS = {"debian": {"data": "debian"}}
EVERYBODY = "all of them"
FANOUTS = {EVERYBODY: (10**9, 10**9), "10 and 10": (10, 10), "5 and 5": (5, 5), "2 and 2": (2, 2)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["made", "debian"] = "made"  # a drawn graph, or Debian's packages
    nodes: PositiveInt = 10_000  # of the drawn graph
    batch_sizes: Annotated[tuple[PositiveInt, ...], Different] = (1, 8, 64, 256, 1024)  # nodes that are asked for
    draws: PositiveInt = 20  # batches of each size


@dataclass(frozen=True)
class Results:
    nodes: int
    links: int
    neighbours: float  # mean number of a node
    most_neighbours: int
    neighbours_at_ends: float  # mean number of the node at the end of a random link
    batch_sizes: list[int]
    # By fanouts, and by size of the batch: the mean number of nodes that are read within two steps.
    read: dict[str, list[float]]


def read_graph(config: Config) -> Graph:
    """Return the graph, with each link in both directions."""
    if config.data == "made":
        generator = torch.Generator().manual_seed(config.seed)
        return hub_world(config.nodes, 20, 1, 4, 0.6, 0.3, generator).graph
    packages = read_packages()
    pairs = torch.tensor(dependency_links(packages)).sort(dim=1).values.unique(dim=0)
    return Graph.undirected(pairs, len(packages))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    graph, generator = read_graph(config), torch.Generator().manual_seed(config.seed)
    if max(config.batch_sizes) > graph.num_nodes:
        raise ValueError(
            f"a batch must have at most the {graph.num_nodes} nodes of the graph, got {config.batch_sizes}"
        )
    sampler = NeighbourSampler(graph)
    degrees = sampler.counts.double()
    read: dict[str, list[float]] = {}
    for name, fanouts in FANOUTS.items():
        for size in config.batch_sizes:
            batches = (torch.randperm(graph.num_nodes, generator=generator)[:size] for _ in range(config.draws))
            found = [sampler.draw(asked, fanouts, generator).graph.num_nodes for asked in batches]
            read.setdefault(name, []).append(sum(found) / len(found))
        print(f"{name:<12}", "".join(f"{mean:10,.0f}" for mean in read[name]))
    at_ends = (degrees.square().sum() / degrees.sum()).item()
    print(f"a node has {degrees.mean():.1f} neighbours, the one at the end of a link {at_ends:,.0f}")
    return Results(
        graph.num_nodes, graph.num_edges // 2, degrees.mean().item(), int(degrees.max()), at_ends,
        list(config.batch_sizes), read,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the nodes read over the size of the batch, with the whole graph as a line."""
    figure, axes = new_figure(6.0, 3.6)
    for colour, (name, read) in zip(COLOURS, results.read.items(), strict=False):
        axes.plot(results.batch_sizes, read, "o-", color=colour, markersize=4, label=name)
    axes.axhline(results.nodes, color="0.5", linestyle=":", label="the whole graph")
    axes.set(xscale="log", yscale="log", xlabel="nodes of a batch", ylabel="nodes read within two steps")
    axes.legend(frameon=False, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
