"""Links are predicted where none can be: what happens if the edges that are looked for carry messages?

    uv run sprints/27_graphs_downstream/leaky_edges.py
    uv run sprints/27_graphs_downstream/leaky_edges.py --degree 4

In a random graph every pair is as likely as any other, so an honest AUC is one half. Messages run over all edges, over
the training edges and the reverses of the hidden ones, or over the training edges.
Theory: notes/03_edges_that_were_seen.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from downstream.link_scores import auc, draw_unlinked, hide_edges
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import block_model, rates_of
from shared.graph.graphs import Graph
from shared.graph.layers import SAGELayer
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

PRESETS = {"dense": {"degree": 30.0}}
LEAKS = ("all edges", "reverses of hidden edges", "training edges")


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 400  # nodes of a graph
    degree: PositiveFloat = 6.0  # mean number of neighbours
    hidden: PositiveFloat = 0.2  # share of the edges that is looked for
    features: PositiveInt = 32  # random numbers that each node has
    steps: PositiveInt = 60  # optimizer steps
    rate: PositiveFloat = 0.01  # learning rate
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws another graph


@dataclass(frozen=True)
class Results:
    untrained: dict[str, MeanInterval]  # AUC of hidden edges, by the edges that carry messages
    trained: dict[str, MeanInterval]
    moved: dict[str, float]  # by how much a score changes if its own edge is taken from the graph, at most


class Encoder(nn.Module):
    """Two layers of GraphSAGE; a pair scores by the product of its vectors."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first, self.second = SAGELayer(features, features), SAGELayer(features, features)

    def forward(self, features: Tensor, graph: Graph, pairs: Tensor) -> Tensor:
        """Return a score of each pair, (pairs)."""
        vectors = self.second(self.first(features, graph).relu(), graph)
        return (vectors[pairs[:, 0]] * vectors[pairs[:, 1]]).sum(dim=1)


def carriers(seen: Graph, hidden: Tensor) -> dict[str, Graph]:
    """Return the graphs over which messages run; two of them hold what is looked for."""
    reverses = torch.cat([seen.edge_index, hidden.T.flip(0)], dim=1)
    everything = torch.cat([reverses, hidden.T], dim=1)
    return dict(zip(LEAKS, (Graph(everything, seen.num_nodes), Graph(reverses, seen.num_nodes), seen), strict=True))


def train(model: Encoder, features: Tensor, graph: Graph, right: Tensor, config: Config, generator: torch.Generator):
    """Train on edges against as many pairs that are drawn anew in each step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=config.rate)
    for _ in range(config.steps):
        wrong = torch.randint(config.nodes, right.shape, generator=generator)
        scores = model(features, graph, torch.cat([right, wrong]))
        targets = torch.cat([torch.ones(len(right)), torch.zeros(len(wrong))])
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(scores, targets).backward()
        optimizer.step()


@torch.no_grad()
def moves(model: Encoder, features: Tensor, graph: Graph, pair: Tensor) -> float:
    """Return by how much the score of a pair changes if both directions of its edge are taken from the graph."""
    first, second = pair.tolist()
    source, target = graph.edge_index
    own = ((source == first) & (target == second)) | ((source == second) & (target == first))
    without = Graph(graph.edge_index[:, ~own], graph.num_nodes)
    return float((model(features, graph, pair[None]) - model(features, without, pair[None])).abs())


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    untrained: dict[str, list[float]] = {name: [] for name in LEAKS}
    trained: dict[str, list[float]] = {name: [] for name in LEAKS}
    moved = dict.fromkeys(LEAKS, 0.0)
    for seed in tqdm(config.seeds, unit="graph"):
        generator = torch.Generator().manual_seed(seed)
        graph, _ = block_model(config.nodes, rates_of(config.degree, 0.0, 2), generator)
        seen, hidden = hide_edges(graph, config.hidden, generator)
        wrong = draw_unlinked(graph, len(hidden), generator)
        features = torch.randn(config.nodes, config.features, generator=generator)
        right = seen.edge_index.T[seen.edge_index[0] < seen.edge_index[1]]
        for name, carrier in carriers(seen, hidden).items():
            torch.manual_seed(seed)
            model = Encoder(config.features)
            for found in (untrained, trained):
                with torch.no_grad():
                    found[name].append(auc(model(features, carrier, hidden), model(features, carrier, wrong)))
                if found is untrained:
                    train(model, features, carrier, right, config, generator)
            moved[name] = max(moved[name], *(moves(model, features, carrier, pair) for pair in hidden[:20]))
    for name in LEAKS:
        before, after = mean_interval(untrained[name]), mean_interval(trained[name])
        print(f"messages over {name}: AUC {before[0]:.3f} untrained, {after[0]:.3f} trained; "
              f"a score moves by {moved[name]:.2g} with its own edge")  # fmt: skip
    intervals = [{name: mean_interval(values) for name, values in found.items()} for found in (untrained, trained)]
    return Results(*intervals, moved)


def plot(results: Results) -> Figure:
    """Draw the AUC by what carries messages, untrained and trained."""
    figure, axes = new_figure(7.0, 2.8)
    for shift, (label, found) in enumerate((("untrained", results.untrained), ("trained", results.trained))):
        places = [number + 0.36 * shift - 0.18 for number in range(len(LEAKS))]
        means, bars = [mean for mean, _ in found.values()], error_bars([half for _, half in found.values()])
        axes.barh(places, means, 0.34, xerr=bars, color=COLOURS[shift], capsize=3, label=label)
    axes.set_yticks(range(len(LEAKS)), [f"messages over\n{name}" for name in LEAKS])
    axes.invert_yaxis()
    axes.axvline(0.5, color="black", linestyle="--", linewidth=1)
    axes.set(xlabel="AUC in a random graph, where nothing can be predicted", xlim=(0.3, 1))
    axes.legend(frameon=False, loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
