"""What lets a transformer tell ten rings apart that no message passing can, and what does not?

    uv run sprints/27_graphs_downstream/circular_skip_links.py
    uv run sprints/27_graphs_downstream/circular_skip_links.py --steps 20 --seeds 0

Rings of 41 nodes, each node joined to the one so many places on (Murphy et al. 2019): ten kinds, all nodes alike. Test
graphs have their nodes in another order. Theory: notes/11_attention_on_graphs.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from downstream.encodings import complete, connected_eigenvectors, padded_distances, with_random_signs
from downstream.graph_transformer import GraphTransformer
from downstream.match_trees import MessageLayer
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.graph.graphs import Graph, batch_graphs
from shared.graph.layers import GCNLayer
from shared.graph.message_passing import scatter_mean
from shared.graph.motif_graphs import SKIPS, circular_skip_links
from shared.graph.structural_features import return_probabilities
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import seed_everything

CHANCE = 1 / len(SKIPS)
COLUMNS = 8  # of an encoding
MOST_DISTANCE = 10


@dataclass(frozen=True)
class Config(ScriptConfig):
    copies: PositiveInt = 4  # graphs of each kind, for training and for the test
    width: PositiveInt = 32  # numbers of a node
    layers: PositiveInt = 2  # layers of each network
    steps: PositiveInt = 200  # optimizer steps, each on all training graphs
    learning_rate: PositiveFloat = 3e-3  # of Adam, falling to 0, the same for all
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other weights and other orders of the nodes


@dataclass(frozen=True)
class Results:
    chance: float
    # By network: mean test accuracy, and half of the 95 % interval over the seeds.
    accuracy: dict[str, MeanInterval]


class GCN(nn.Module):
    """Graph convolutions and the mean over each graph."""

    def __init__(self, in_features: int, outputs: int, width: int, num_layers: int) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(in_features, width), nn.Linear(width, outputs)
        self.layers = nn.ModuleList(MessageLayer(GCNLayer(width, width), width) for _ in range(num_layers))

    def forward(self, features: Tensor, graph: Graph, distances: Tensor | None = None) -> Tensor:  # noqa: ARG002
        hidden = self.embed(features)
        for layer in self.layers:
            hidden = layer(hidden, graph)
        return self.head(scatter_mean(hidden, graph.batch, graph.num_graphs))


def ones(graph: Graph) -> Tensor:
    """Return the same number for all nodes."""
    return torch.ones(graph.num_nodes, COLUMNS)


def one_that_differs(graph: Graph) -> Tensor:
    """Return the same numbers for all nodes but the last."""
    return torch.cat([ones(graph)[:-1], torch.zeros(1, COLUMNS)])


def with_a_node(graph: Graph) -> Graph:
    """Return the graph with one node more that no edge joins: a place that everybody sees at the same distance."""
    return Graph(graph.edge_index, graph.num_nodes + 1)


@dataclass(frozen=True)
class Way:
    """A network and what it is told of the nodes."""

    encode: Callable[[Graph], Tensor] = ones
    extend: Callable[[Graph], Graph] = lambda graph: graph
    attention: bool = True
    local: bool = True
    bias: bool = False
    signs: bool = False


WAYS: dict[str, Way] = {
    "GCN": Way(attention=False),
    "GCN and attention (GPS)": Way(),
    "GPS, random walks": Way(lambda graph: return_probabilities(graph, COLUMNS)),
    "GPS, walks of the complete graph": Way(lambda graph: return_probabilities(complete(graph), COLUMNS)),
    "GPS, eigenvectors, random signs": Way(lambda graph: connected_eigenvectors(graph, COLUMNS), signs=True),
    "GPS, eigenvectors of the complete graph": Way(
        lambda graph: connected_eigenvectors(complete(graph), COLUMNS), signs=True
    ),
    "attention, distance bias": Way(local=False, bias=True),
    "attention, distance bias, one node more": Way(one_that_differs, with_a_node, local=False, bias=True),
}


def prepare(graphs: Sequence[Graph], labels: Sequence[int], way: Way) -> tuple[Tensor, Graph, Tensor | None, Tensor]:
    """Return features, all graphs as one, distances where they are used, and labels."""
    extended = [way.extend(graph) for graph in graphs]
    features = torch.cat([way.encode(graph) for graph in extended])
    return features, batch_graphs(extended), padded_distances(extended) if way.bias else None, torch.tensor(labels)


def train(config: Config, way: Way, seed: int) -> float:
    """Train on graphs of all kinds and return the accuracy on others."""
    generator = seed_everything(seed)
    train_set, test_set = (prepare(*circular_skip_links(config.copies, generator), way) for _ in range(2))
    sizes: dict[str, Any] = {"width": config.width, "num_layers": config.layers}
    if way.attention:
        local = GCNLayer if way.local else None
        distance = MOST_DISTANCE if way.bias else None
        model = GraphTransformer(COLUMNS, len(SKIPS), heads=4, local=local, most_distance=distance, **sizes)
    else:
        model = GCN(COLUMNS, len(SKIPS), **sizes)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    # Down to 0: the running means of the norms, which the test uses, are then those of the last weights.
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, config.steps)

    def answer(features: Tensor, graph: Graph, distances: Tensor | None, _: Tensor) -> Tensor:
        # Neither sign of an eigenvector is the right one: each look draws other ones.
        drawn = with_random_signs(features, graph.batch, generator) if way.signs else features
        return model(drawn, graph, distances)

    for _ in range(config.steps):
        loss = functional.cross_entropy(answer(*train_set), train_set[3])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        looks = torch.stack([answer(*test_set).softmax(dim=1) for _ in range(10 if way.signs else 1)])
    return (looks.mean(dim=0).argmax(dim=1) == test_set[3]).double().mean().item()


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    scores: dict[str, list[float]] = {name: [] for name in WAYS}
    for name, seed in tqdm(list(product(WAYS, config.seeds)), desc="trainings"):
        scores[name].append(train(config, WAYS[name], config.seed + seed))
    results = Results(CHANCE, {name: mean_interval(values) for name, values in scores.items()})
    for name, (mean, half) in results.accuracy.items():
        print(f"{name:<42} {show_interval(mean, half, '6.1%')}")
    return results


def plot(results: Results) -> Figure:
    """Draw the accuracy of each network beside chance."""
    figure, axis = new_figure(8.5, 3.6)
    means, halves = zip(*results.accuracy.values(), strict=True)
    places = range(len(means))
    axis.barh(places, means, xerr=error_bars(halves), color=COLOURS[0], height=0.65)
    axis.axvline(results.chance, color="black", linestyle=":")
    axis.text(results.chance + 0.01, 0, "chance", fontsize=9, va="center")
    axis.set(xlim=(0, 1.03), ylim=(len(means) - 0.4, -0.6), xlabel="test accuracy")
    axis.set_yticks(places, list(results.accuracy), fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"accuracy.*": TRAINED})
