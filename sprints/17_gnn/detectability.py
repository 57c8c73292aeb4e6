"""How weak may groups be until nothing can find them, and how near do graph networks come to that limit?

    uv run sprints/17_gnn/detectability.py
    uv run sprints/17_gnn/detectability.py --nodes 500 --labelled 0.2

Two groups, no features: a node is known by its edges alone. Where the signal is below 1, no method whatever finds the
groups without a label; in large graphs belief propagation is the optimum everywhere. Theory: notes/06_block_models.md
"""

from dataclasses import dataclass
from itertools import product
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from graph_study.node_networks import accuracy, gcn, predict, train_network
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import belief_propagation, block_model, label_evidence, rates_of
from shared.graph.graphs import Graph, adjacency_matrix
from shared.graph.label_propagation import label_spreading
from shared.graph.node_data import NodeData
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

# A node can fall to either side by the last digit of a message or of an eigenvector.
TOLERANCE = {"without_labels.*": TRAINED, "with_labels.*": TRAINED}
SIGNALS = (0.4, 0.7, 0.9, 1.0, 1.1, 1.3, 1.6, 1.9)


LabelledShare = Annotated[float, Field(gt=0, lt=0.5)]  # as many choose the step


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 1000  # nodes of a graph
    degree: PositiveFloat = 5.0  # mean number of neighbours
    signals: Annotated[tuple[float, ...], Different] = SIGNALS  # (c_in - c_out) / (2 sqrt(degree)); the threshold is 1
    labelled: LabelledShare = 0.05  # share of nodes whose label the methods with labels know
    steps: PositiveInt = 200  # optimizer steps of GCN
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other graphs

    def check(self) -> None:
        """Check that such graphs exist, and that some nodes are left for the test."""
        for signal in self.signals:
            if (rates := rates_of(self.degree, signal, 2)).inside > self.nodes:
                raise ValueError(
                    f"a node cannot have {rates.inside / 2:.1f} neighbours in a group of {self.nodes // 2}: give more "
                    f"--nodes than {self.nodes}, or a smaller --degree than {self.degree:g}"
                )
        if self.nodes <= 2 * self.known:
            raise ValueError(
                f"{self.known} labels train and as many choose the step, which leaves nothing of {self.nodes} nodes "
                "for the test: give more --nodes"
            )

    @property
    def known(self) -> int:
        """How many nodes have a label that trains: one of each group at least."""
        return max(2, round(self.labelled * self.nodes))


@dataclass(frozen=True)
class Results:
    signals: list[float]
    # By method and signal: mean and half of the 95 % interval over the seeds.
    without_labels: dict[str, list[MeanInterval]]
    with_labels: dict[str, list[MeanInterval]]


def spectral(graph: Graph, kind: str) -> Tensor:
    """Return the signs of an eigenvector as two groups, as scores: (num_nodes, 2).

    "normalised" takes the second eigenvector of D^-1/2 A D^-1/2, the smoothest wave that is not constant. In a sparse
    graph such waves settle on a few odd nodes. The Bethe Hessian, (r^2 - 1) I - r A + D with r the root of the mean
    degree, does not let them and works down to the threshold (Saade et al. 2014, section 2).
    """
    adjacency = adjacency_matrix(graph)
    degrees = adjacency.sum(dim=1)
    if kind == "normalised":
        root = degrees.clamp(min=1).rsqrt()
        vector = torch.linalg.eigh(root[:, None] * adjacency * root).eigenvectors[:, -2]
    else:
        r = degrees.mean().sqrt()
        hessian = torch.diag(r**2 - 1 + degrees) - r * adjacency
        vector = torch.linalg.eigh(hessian).eigenvectors[:, 1]
    return torch.stack([vector, -vector], dim=1)


def best_naming(scores: Tensor, data: NodeData) -> float:
    """Return the accuracy when somebody else names the two groups: at least a half."""
    right = accuracy(scores, data, torch.ones_like(data.test_mask))
    return max(right, 1 - right)


@dataclass(frozen=True)
class GraphAccuracies:
    """Accuracies by method on one graph, without any label and with some."""

    without_labels: dict[str, float]
    with_labels: dict[str, float]


def compare_methods(config: Config, signal: float, seed: int) -> GraphAccuracies:
    """Draw a graph, and let each method find its groups."""
    device, generator = pick_device(config.device), seed_everything(seed)
    rates = rates_of(config.degree, signal, 2)
    graph, labels = block_model(config.nodes, rates, generator)
    order = torch.randperm(config.nodes, generator=generator)
    masks = torch.zeros(3, config.nodes, dtype=torch.bool)
    sizes = [config.known, config.known, config.nodes - 2 * config.known]
    for mask, part in zip(masks, order.split(sizes), strict=True):
        mask[part] = True
    identity = torch.eye(config.nodes).to_sparse()
    data = NodeData(graph, identity, labels, 2, *masks)

    nothing = torch.zeros(config.nodes, 2)
    beliefs = belief_propagation(graph, rates, nothing, generator)
    without_labels = {
        "belief propagation": best_naming(beliefs, data),
        "spectral, Bethe Hessian": best_naming(spectral(graph, "Bethe Hessian"), data),
        "spectral, normalised adjacency": best_naming(spectral(graph, "normalised"), data),
    }
    model = gcn(config.nodes, 2).to(device)
    moved = data.to(device)
    list(train_network(model, moved, steps=config.steps, learning_rate=0.01, weight_decay=5e-4))
    informed = belief_propagation(graph, rates, label_evidence(labels, data.train_mask, 2), generator)
    spread = label_spreading(graph, *data.training_labels())
    with_labels = {
        "belief propagation": accuracy(informed, data, data.test_mask),
        "GCN": accuracy(predict(model, moved).cpu(), data, data.test_mask),
        "label spreading": accuracy(spread, data, data.test_mask),
    }
    return GraphAccuracies(without_labels, with_labels)


def means(graphs: list[list[dict[str, float]]]) -> dict[str, list[MeanInterval]]:
    """Return by method the mean over the seeds, for each signal; given are the accuracies by signal and seed."""
    return {name: [mean_interval([graph[name] for graph in seeds]) for seeds in graphs] for name in graphs[0][0]}


def main(config: Config) -> Results:
    graphs: dict[float, list[GraphAccuracies]] = {signal: [] for signal in config.signals}
    for signal, seed in tqdm(list(product(config.signals, config.seeds)), desc="graphs"):
        graphs[signal].append(compare_methods(config, signal, config.seed + seed))
    results = Results(
        signals=list(config.signals),
        without_labels=means([[graph.without_labels for graph in seeds] for seeds in graphs.values()]),
        with_labels=means([[graph.with_labels for graph in seeds] for seeds in graphs.values()]),
    )
    print(f"{'signal':<34}", "  ".join(f"{signal:5.2f}" for signal in config.signals))
    for title, methods in (("without a label", results.without_labels), ("with labels", results.with_labels)):
        print(title)
        for name, values in methods.items():
            print(f"  {name:<32}", "  ".join(f"{mean:5.1%}" for mean, _ in values))
    return results


def plot(results: Results) -> Figure:
    """Draw accuracy against signal, without labels and with some."""
    figure, axes = new_figure(10, 3.8, columns=2)
    titles = ("without a label", "with some labels")
    for axis, methods, title in zip(axes, (results.without_labels, results.with_labels), titles, strict=True):
        for number, (name, values) in enumerate(methods.items()):
            means, halves = zip(*values, strict=True)
            # Side by side, so that no interval hides another.
            signals = [signal + 0.018 * (number - 1) for signal in results.signals]
            axis.errorbar(signals, means, error_bars(halves), marker="osD"[number], markersize=4, capsize=2, label=name)
        axis.axvline(1, color="0.4", linestyle=":", label="threshold" if title == titles[0] else None)
        axis.axhline(0.5, color="0.7", linewidth=1)
        axis.set(xlabel="signal", ylabel="accuracy", title=title, ylim=(0.45, 1.18))
        axis.legend(fontsize=8, loc="upper left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
