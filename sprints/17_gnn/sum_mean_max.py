"""Can a layer tell two neighbours from three? Sum, mean and maximum on three pairs of neighbourhoods.

    uv run sprints/17_gnn/sum_mean_max.py
    uv run sprints/17_gnn/sum_mean_max.py --tries 100

Two nodes are alike but for their coloured neighbours. Weights are drawn, not trained: what counts is whether any of
them puts the two nodes apart. Theory: notes/08_colours.md
"""

from dataclasses import dataclass

import torch

from graph_study.graph_networks import AGGREGATIONS
from shared.graph.graphs import Graph
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

# The coloured neighbours of two nodes (Xu et al. 2019, figure 3).
NEIGHBOURHOODS = {
    "2 red, 3 red": ("rr", "rrr"),
    "red green, red 2 green": ("rg", "rgg"),
    "twice as many": ("rg", "rrgg"),
}
COLOURS_OF_NODES = "_rg"  # the node in the middle has none


@dataclass(frozen=True)
class Config(ScriptConfig):
    tries: PositiveInt = 10  # layers of each kind, with weights drawn anew


@dataclass(frozen=True)
class Results:
    # By neighbourhoods and layer: how far apart a layer puts the two nodes, at most.
    neighbourhoods: dict[str, dict[str, float]]


def star(neighbours: str) -> tuple[Graph, torch.Tensor]:
    """Return a node that is joined with so many others, and the colours of all as one-hot rows: (num_nodes, 3)."""
    graph = Graph.undirected([(0, 1 + node) for node in range(len(neighbours))], 1 + len(neighbours))
    colours = [COLOURS_OF_NODES.index(colour) for colour in "_" + neighbours]
    return graph, torch.eye(3, dtype=torch.double)[colours]


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    neighbourhoods: dict[str, dict[str, float]] = {name: {} for name in NEIGHBOURHOODS}
    for name, words in NEIGHBOURHOODS.items():
        stars = [star(word) for word in words]
        for kind, make in AGGREGATIONS.items():
            torch.manual_seed(int(torch.randint(1 << 31, (), generator=generator)))
            layers = [make(3, 8).double() for _ in range(config.tries)]
            middles = [[layer(colours, graph)[0] for graph, colours in stars] for layer in layers]
            neighbourhoods[name][kind] = max((first - second).abs().max().item() for first, second in middles)
        print(f"{name}:", ", ".join(f"{kind} {distance:.1e}" for kind, distance in neighbourhoods[name].items()))
    return Results(neighbourhoods)


if __name__ == "__main__":
    run(main, Config)
