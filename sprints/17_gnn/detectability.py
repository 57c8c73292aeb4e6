"""How weak may groups be until nothing can find them, and how near do graph networks come to that limit?

    uv run sprints/17_gnn/detectability.py
    uv run sprints/17_gnn/detectability.py --nodes 500 --labelled 0.2

Two groups, no features: a node is known by its edges alone. Where the signal is below 1, no method whatever finds the
groups without a label; in large graphs belief propagation is the optimum everywhere. Theory: notes/03_block_models.md
"""

from dataclasses import dataclass
from itertools import product

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from graph_study.block_models import belief_propagation, block_model, label_evidence, rates_of
from graph_study.node_networks import NodeData, accuracy, gcn, propagate_labels, scores, train_network
from shared.checks.intervals import mean_interval
from shared.graph.graphs import Graph
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import pick_device, seed_everything

SIGNALS = (0.4, 0.7, 0.9, 1.0, 1.1, 1.3, 1.6, 1.9)


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: int = 1000  # nodes of a graph
    degree: float = 5.0  # mean number of neighbours
    signals: tuple[float, ...] = SIGNALS  # (c_in - c_out) / (2 sqrt(degree)); the threshold is 1
    labelled: float = 0.05  # share of nodes whose label the methods with labels know
    steps: int = 200  # optimizer steps of GCN
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # each draws other graphs


@dataclass(frozen=True)
class Results:
    signals: list[float]
    # By method and signal: mean and half of the 95 % interval over the seeds.
    without_labels: dict[str, list[tuple[float, float]]]
    with_labels: dict[str, list[tuple[float, float]]]


def spectral(graph: Graph, kind: str) -> Tensor:
    """Return the signs of an eigenvector as two groups, as scores: (nodes, 2).

    "normalised" takes the second eigenvector of D^-1/2 A D^-1/2, the smoothest wave that is not constant. In a sparse
    graph such waves settle on a few odd nodes. The Bethe Hessian, (r^2 - 1) I - r A + D with r the root of the mean
    degree, does not let them and works down to the threshold (Saade et al. 2014, section 2).
    """
    adjacency = torch.zeros(graph.nodes, graph.nodes, dtype=torch.float64)
    adjacency[graph.targets, graph.sources] = 1.0
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
    right = accuracy(scores, data, torch.ones_like(data.test))
    return max(right, 1 - right)


def run(config: Config, signal: float, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the accuracies without a label, and with some."""
    device, generator = pick_device(config.device), seed_everything(seed)
    rates = rates_of(config.degree, signal, 2)
    graph, labels = block_model(config.nodes, rates, generator)
    order = torch.randperm(config.nodes, generator=generator)
    masks = torch.zeros(3, config.nodes, dtype=torch.bool)
    known = max(2, round(config.labelled * config.nodes))
    for mask, part in zip(masks, order.split([known, known, config.nodes - 2 * known]), strict=True):
        mask[part] = True
    identity = torch.eye(config.nodes).to_sparse()
    data = NodeData(graph, identity, labels, 2, *masks)
    nothing = torch.zeros(config.nodes, 2)
    beliefs = belief_propagation(graph, rates, nothing, generator)
    without = {
        "belief propagation": best_naming(beliefs, data),
        "spectral, Bethe Hessian": best_naming(spectral(graph, "Bethe Hessian"), data),
        "spectral, normalised adjacency": best_naming(spectral(graph, "normalised"), data),
    }
    model = gcn(config.nodes, 2).to(device)
    moved = data.to(device)
    list(train_network(model, moved, steps=config.steps, learning_rate=0.01, weight_decay=5e-4))
    informed = belief_propagation(graph, rates, label_evidence(labels, data.train, 2), generator)
    with_labels = {
        "belief propagation": accuracy(informed, data, data.test),
        "GCN": accuracy(scores(model, moved).cpu(), data, data.test),
        "label propagation": accuracy(propagate_labels(data), data, data.test),
    }
    return without, with_labels


def main(config: Config) -> Results:
    rows: dict[tuple[float, int], tuple[dict[str, float], dict[str, float]]] = {}
    for place in tqdm(list(product(config.signals, config.seeds)), desc="graphs"):
        rows[place] = run(config, place[0], config.seed + place[1])

    def gathered(which: int) -> dict[str, list[tuple[float, float]]]:
        names = next(iter(rows.values()))[which]
        return {
            name: [
                mean_interval([rows[signal, seed][which][name] for seed in config.seeds]) for signal in config.signals
            ]
            for name in names
        }

    results = Results(list(config.signals), gathered(0), gathered(1))
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
    for place, methods, title in zip(axes, (results.without_labels, results.with_labels), titles, strict=True):
        for name, values in methods.items():
            means, halves = zip(*values, strict=True)
            place.errorbar(results.signals, means, halves, marker="o", capsize=2, label=name)
        place.axvline(1, color="0.4", linestyle=":", label="threshold" if title == titles[0] else None)
        place.axhline(0.5, color="0.7", linewidth=1)
        place.set(xlabel="signal", ylabel="accuracy", title=title, ylim=(0.45, 1.02))
        place.legend(fontsize=8, loc="upper left")
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot)
