"""Which pairs of graphs look alike to message passing? Colour refinement says it before a network is trained.

    uv run sprints/17_gnn/twin_graphs.py
    uv run sprints/17_gnn/twin_graphs.py --tries 100

Five pairs, among them two molecules and two graphs that not even random walks tell apart: their colours, and how far
apart untrained networks and other features put them. Theory: notes/09_beyond_colours.md
"""

from dataclasses import dataclass

import networkx as nx
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graph_study.colour_refinement import colour_counts, colour_refinement
from graph_study.untrained_networks import embed_untrained
from shared.graph.graphs import Graph, adjacency_matrix, batch_graphs
from shared.graph.motif_graphs import TWINS
from shared.graph.structural_features import return_probabilities
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    tries: PositiveInt = 10  # networks with weights drawn anew


@dataclass(frozen=True)
class TwinGraphs:
    """Two graphs, their colours, and how far apart they are for an untrained network and for other features."""

    edges: list[list[list[int]]]
    colours: list[list[int]]
    told_apart: bool
    gin: float
    return_probabilities: float
    spectrum: float


@dataclass(frozen=True)
class Results:
    pairs: dict[str, TwinGraphs]


def compare(graphs: tuple[Graph, Graph], tries: int) -> TwinGraphs:
    """Return what two graphs look like to colour refinement, to untrained networks, and to other features."""
    together = batch_graphs(graphs)
    colours = colour_refinement(together).split([graph.num_nodes for graph in graphs])
    counts = colour_counts(graphs)
    walks = [return_probabilities(graph).sort(dim=0).values for graph in graphs]
    spectra = [torch.linalg.eigvalsh(adjacency_matrix(graph)) for graph in graphs]
    outputs = [embed_untrained(together) for _ in range(tries)]
    return TwinGraphs(
        edges=[graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]].T.tolist() for graph in graphs],
        colours=[rows.tolist() for rows in colours],
        told_apart=counts[0] != counts[1],
        gin=max((first - second).abs().max().item() for first, second in outputs),
        return_probabilities=(walks[0] - walks[1]).abs().max().item(),
        spectrum=(spectra[0] - spectra[1]).abs().max().item(),
    )


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # graphs of a few nodes: threads would only wait for each other
    seed_everything(config.seed)
    pairs = {name: compare(make(), config.tries) for name, make in TWINS.items()}
    for name, pair in pairs.items():
        colours = "other" if pair.told_apart else "the same"
        print(f"{name}: {colours} colours, untrained GINs differ by {pair.gin:.1e}")
    return Results(pairs)


def draw_pair(axis: Axes, name: str, pair: TwinGraphs) -> None:
    """Draw two graphs side by side, equal colours alike."""
    for side, (edges, colours) in enumerate(zip(pair.edges, pair.colours, strict=True)):
        graph = nx.Graph()
        graph.add_nodes_from(range(len(colours)))
        graph.add_edges_from(edges)
        parts = [*nx.connected_components(graph)]
        for number, part in enumerate(parts):
            arrange = nx.circular_layout if len(part) > 12 else nx.kamada_kawai_layout
            layout = arrange(graph.subgraph(part), scale=1.0 if len(parts) == 1 else 0.45)
            right, up = 2.6 * side, 1.3 * (number - (len(parts) - 1) / 2)
            positions = {node: (x + right, y + up) for node, (x, y) in layout.items()}
            for source, target in graph.subgraph(part).edges:
                axis.plot(*zip(positions[source], positions[target], strict=True), color="0.6", linewidth=0.8, zorder=1)
            x, y = zip(*positions.values(), strict=True)
            shades = [(*COLOURS, "white", "0.7")[colours[node]] for node in positions]
            axis.scatter(x, y, s=60, c=shades, edgecolors="black", linewidths=0.6, zorder=2, clip_on=False)
    axis.set(aspect="equal", xlim=(-1.2, 3.8), ylim=(-1.2, 1.2))
    axis.set_title(f"{name}\n{'told apart' if pair.told_apart else 'the same colours'}", fontsize=9)
    axis.axis("off")


def plot(results: Results) -> Figure:
    """Draw pairs of graphs with their colours."""
    shown = {name: pair for name, pair in results.pairs.items() if len(pair.colours[0]) < 20}
    figure, axes = new_figure(13, 2.8, columns=len(shown))
    for axis, (name, pair) in zip(axes, shown.items(), strict=True):
        draw_pair(axis, name, pair)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
