"""Do sums tell apart all graphs that colours tell apart? All 1,252 graphs of up to seven nodes.

    uv run sprints/17_gnn/graph_atlas.py
    uv run sprints/17_gnn/graph_atlas.py --tries 1

Untrained: GINs with drawn weights put each graph somewhere. Graphs with equal colours must land on one place, and
others should not. One network may lose a graph: where a ReLU gives 0 for all of its nodes, so does the sum. So each
pair counts as far apart as the best of a few networks puts it. Theory: notes/08_colours.md
"""

from dataclasses import dataclass

import torch
from networkx import graph_atlas_g

from graph_study.colour_refinement import colour_counts
from graph_study.untrained_networks import embed_untrained
from shared.graph.graphs import Graph, batch_graphs
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

# Equal graphs differ by rounding alone, and the two nearest others by what was drawn.
TOLERANCE = {"within": Tolerance(absolute=1e-12), "between": Tolerance(relative=0.05)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    tries: PositiveInt = 4  # networks with weights drawn anew


@dataclass(frozen=True)
class Results:
    graphs: int
    colour_classes: int
    # The largest distance of two graphs with equal colours, and the smallest of two others.
    within: float
    between: float


def main(config: Config) -> Results:
    seed_everything(config.seed)
    graphs = [Graph.undirected(list(graph.edges), len(graph)) for graph in graph_atlas_g() if len(graph)]
    together = batch_graphs(graphs)
    outputs = [embed_untrained(together) for _ in range(config.tries)]
    distances = torch.stack([torch.cdist(rows, rows, p=float("inf")) for rows in outputs]).amax(dim=0)
    counts = colour_counts(graphs)
    numbers = {colours: number for number, colours in enumerate(dict.fromkeys(counts))}
    colour_class = torch.tensor([numbers[colours] for colours in counts])
    alike = colour_class[:, None] == colour_class
    within, between = distances[alike].max().item(), distances[~alike].min().item()
    print(f"{len(graphs)} graphs of up to seven nodes have {len(numbers)} kinds of colours: untrained GINs")
    print(f"put equal kinds within {within:.1e}, others at least {between:.1e} apart")
    return Results(len(graphs), len(numbers), within, between)


if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
