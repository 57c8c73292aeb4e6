"""What does a graph convolution compute, and what does it cost to compute it?

    uv run sprints/17_gnn/gcn_three_ways.py
    uv run sprints/17_gnn/gcn_three_ways.py --nodes 300 1000 3000 10000 --degree 8

The same layer three ways: with the whole matrix of neighbours, with its entries that are not 0, and with messages along
edges. All three agree on any graph; what they cost does not. Theory: notes/02_the_normalised_adjacency.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.graph.graphs import Graph
from shared.graph.layers import GCNLayer
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

FEATURES, HIDDEN = 64, 32
# Differences are rounding itself: what counts is that they stay small.
TOLERANCE = {"odd_graphs.*": Tolerance(absolute=1e-12), "sizes.*.differences.*": Tolerance(absolute=1e-12)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: Annotated[tuple[AtLeastTwo, ...], Different] = (100, 300, 1000, 3000)  # sizes of the graphs
    degree: PositiveInt = 6  # mean number of neighbours
    repeats: AtLeastTwo = 15  # timed runs of each way; the median counts


@dataclass(frozen=True)
class SizeMeasurement:
    nodes: int
    edges: int
    # The largest difference from the messages, in float64: (output, gradient of the weight).
    differences: dict[str, tuple[float, float]]
    # Milliseconds of a forward and a backward pass in float32, median and quartiles.
    milliseconds: dict[str, tuple[float, float, float]]
    # Megabytes of what holds the neighbours.
    megabytes: dict[str, float]


@dataclass(frozen=True)
class Results:
    by_hand: list[list[float]]
    odd_graphs: dict[str, float]
    sizes: list[SizeMeasurement]


def dense_matrix(graph: Graph, like: Tensor) -> Tensor:
    """Return D^-1/2 (A + I) D^-1/2, (num_nodes, num_nodes), whose rows are targets: the formula, word for word."""
    source, target = graph.edge_index
    edge_weight = like.new_ones(graph.num_edges) if graph.edge_weight is None else graph.edge_weight.to(like.dtype)
    adjacency = like.new_zeros(graph.num_nodes, graph.num_nodes)
    adjacency.index_put_((target, source), edge_weight, accumulate=True)
    # A node that has a loop already keeps it.
    adjacency += torch.diag((adjacency.diagonal() == 0).to(like.dtype))
    root = adjacency.sum(dim=1).rsqrt()
    return root[:, None] * adjacency * root


def sparse_matrix(graph: Graph, like: Tensor) -> Tensor:
    """Return the same matrix without its zeros."""
    norm = graph.gcn_normalised
    source, target = norm.edge_index
    edge_weight = like.new_ones(0) if norm.edge_weight is None else norm.edge_weight.to(like.dtype)
    indices, size = torch.stack([target, source]), (graph.num_nodes, graph.num_nodes)
    return torch.sparse_coo_tensor(indices, edge_weight, size, check_invariants=False).coalesce()


def three_ways(layer: GCNLayer, features: Tensor, graph: Graph) -> dict[str, Callable[[], Tensor]]:
    """Return functions that compute the layer; what depends on the graph alone is prepared, as in training."""
    dense, sparse, bias = dense_matrix(graph, features), sparse_matrix(graph, features), cast(Tensor, layer.bias)
    return {
        "dense matrix": lambda: dense @ (features @ layer.weight) + bias,
        "sparse matrix": lambda: torch.sparse.mm(sparse, features @ layer.weight) + bias,
        "messages along edges": lambda: layer(features, graph),
    }


def random_graph(num_nodes: int, mean_degree: int, generator: torch.Generator) -> Graph:
    """Return an undirected graph of random pairs, each at most once."""
    pairs = torch.randint(num_nodes, (num_nodes * mean_degree // 2, 2), generator=generator).sort(dim=1).values
    return Graph.undirected(pairs[pairs[:, 0] != pairs[:, 1]].unique(dim=0), num_nodes)


def odd_graphs(generator: torch.Generator) -> dict[str, Graph]:
    """Return the graphs on which implementations differ from each other."""
    pairs = torch.tensor([[0, 1], [1, 2], [2, 0], [2, 3], [3, 4]])
    weights = torch.rand(len(pairs), generator=generator) + 0.5
    return {
        "without an edge": Graph(torch.zeros(2, 0, dtype=torch.long), 5),
        "isolated nodes": Graph.undirected(pairs, 8),
        "a loop that is there already": Graph.undirected(torch.cat([pairs, torch.tensor([[1, 1]])]), 5),
        "directed": Graph(pairs.T, 5),
        "weighted": Graph.undirected(pairs, 5, weights),
        "weighted and directed": Graph(pairs.T, 5, weights),
    }


def agreement(graph: Graph, generator: torch.Generator) -> dict[str, tuple[float, float]]:
    """Return how far each way is from the messages, in float64: largest difference of outputs and of gradients."""
    layer = GCNLayer(FEATURES, HIDDEN).double()
    features = torch.randn(graph.num_nodes, FEATURES, generator=generator, dtype=torch.float64)
    edge_weight = torch.ones(graph.num_edges) if graph.edge_weight is None else graph.edge_weight
    double = Graph(graph.edge_index, graph.num_nodes, edge_weight.double())
    computed = {}
    for name, way in three_ways(layer, features, double).items():
        output = way()
        computed[name] = (output.detach(), torch.autograd.grad(output.square().sum(), layer.weight)[0])
    expected, gradient = computed.pop("messages along edges")
    return {
        name: ((output - expected).abs().max().item(), ((grad - gradient).abs().max() / gradient.abs().max()).item())
        for name, (output, grad) in computed.items()
    }


def measure(graph: Graph, repeats: int, generator: torch.Generator, device: torch.device) -> dict:
    """Return the milliseconds of each way, measured in turns so that a busy machine disturbs all of them alike."""
    layer = GCNLayer(FEATURES, HIDDEN).to(device)
    features = torch.randn(graph.num_nodes, FEATURES, generator=generator).to(device)
    ways = three_ways(layer, features, graph.to(device))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 2):
        for name, way in ways.items():
            start = time.perf_counter()
            way().square().sum().backward()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn >= 2:  # the first turns warm up
                seconds[name].append(time.perf_counter() - start)
    quartiles = {name: statistics.quantiles(values, n=4) for name, values in seconds.items()}
    return {name: (1000 * middle, 1000 * low, 1000 * high) for name, (low, middle, high) in quartiles.items()}


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    path = Graph.undirected([(0, 1), (1, 2)], 3)
    print("The path 0 - 1 - 2, normalised: a node's own share, and its neighbours'")
    by_hand = [[round(value, 4) for value in row] for row in dense_matrix(path, torch.zeros(1)).tolist()]
    print("\n".join(str(row) for row in by_hand))
    odd = {
        name: max(max(pair) for pair in agreement(graph, generator).values())
        for name, graph in odd_graphs(generator).items()
    }
    print("Largest difference between the three ways:", ", ".join(f"{name} {gap:.0e}" for name, gap in odd.items()))
    sizes = []
    for num_nodes in config.nodes:
        graph = random_graph(num_nodes, config.degree, generator)
        num_edges = graph.gcn_normalised.num_edges
        times = measure(graph, config.repeats, generator, device)
        # An entry of a sparse matrix and an edge are two int64 and a float32.
        edge_list = 2e-5 * num_edges
        held = {"dense matrix": 4e-6 * num_nodes**2, "sparse matrix": edge_list, "messages along edges": edge_list}
        sizes.append(SizeMeasurement(num_nodes, num_edges, agreement(graph, generator), times, held))
        print(f"{num_nodes:6d} nodes:", ", ".join(f"{name} {time[0]:.2f} ms" for name, time in times.items()))
    return Results(by_hand, odd, sizes)


def plot(results: Results) -> Figure:
    """Draw time and memory against the number of nodes."""
    figure, (left, right) = new_figure(9, 3.6, columns=2)
    nodes = [size.nodes for size in results.sizes]
    for name in results.sizes[0].milliseconds:
        middle, low, high = zip(*(size.milliseconds[name] for size in results.sizes), strict=True)
        left.plot(nodes, middle, marker="o", label=name)
        left.fill_between(nodes, low, high, alpha=0.2)
    for name, style in (("dense matrix", "-"), ("sparse matrix", "--")):
        label = name if name == "dense matrix" else "sparse matrix, messages"
        right.plot(nodes, [size.megabytes[name] for size in results.sizes], style, marker="o", label=label)
    left.set(xlabel="nodes", ylabel="milliseconds", xscale="log", yscale="log", title="forward and backward pass")
    right.set(xlabel="nodes", ylabel="megabytes", xscale="log", yscale="log", title="what holds the neighbours")
    left.legend()
    right.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
