"""Can two labels and a graph tell who joins whom when a club breaks apart?

    uv run sprints/17_gnn/karate_club.py
    uv run sprints/17_gnn/karate_club.py --hidden 64 --seeds 0 1 2

Zachary (1977) watched a karate club of 34 quarrel and split. Two labels are known, the instructor's and the
president's; the features say only which node a node is. What is left to learn from is who met whom outside of the club.
Theory: notes/03_two_labels.md and notes/05_the_spectral_view.md
"""

from dataclasses import dataclass

import networkx as nx
import torch
from matplotlib.figure import Figure
from torch import Tensor

from graph_study.karate import (
    FACTIONS,
    LABELLED,
    communities,
    factions,
    karate_graph,
    karate_network,
    train_on_two_labels,
)
from graph_study.node_networks import accuracy, predict
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.graph.label_propagation import label_spreading
from shared.graph.node_data import NodeData
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

TOLERANCE = {"accuracy.*": TRAINED, "each.*": TRAINED, "moments.*": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: AtLeastTwo = 16  # width of the two graph convolutions; the picture shows two directions of it
    steps: PositiveInt = 200  # optimizer steps
    learning_rate: PositiveFloat = 0.01  # of Adam
    seeds: Seeds = tuple(range(20))  # each makes another network


@dataclass(frozen=True)
class Results:
    # Of the 32 nodes without a label, by method; mean and half of the 95 % interval over the seeds.
    accuracy: dict[str, MeanInterval]
    each: dict[str, list[float]]
    baselines: dict[str, float]
    # How often each node is put to the wrong faction.
    errors: dict[str, int]
    four_class_ceiling: float
    # Two coordinates of every node by step, for the first seed.
    moments: dict[str, list[list[float]]]
    labels: list[int]
    edges: list[list[int]]


@dataclass(frozen=True)
class TrainedOnTwoLabels:
    """What one network found: accuracies by method, which nodes are wrong, embeddings by step."""

    accuracy: dict[str, float]
    wrong: Tensor  # (num_nodes)
    embeddings: dict[int, Tensor]  # (num_nodes, hidden) each


def nearest_label(embeddings: Tensor) -> Tensor:
    """Return for each node how near it is to the labelled ones: (num_nodes, 2). It needs no training."""
    return -torch.cdist(embeddings, embeddings[LABELLED])


def without_a_network(data: NodeData) -> dict[str, float]:
    """Return the accuracy of what needs no network."""
    club, num_test = nx.karate_club_graph(), int(data.test_mask.sum())
    hops = [nx.single_source_shortest_path_length(club, node) for node in LABELLED]
    nearness = torch.tensor([[-float(away[node]) for away in hops] for node in range(data.graph.num_nodes)])
    # Where both are equally near, half of the guesses are right.
    ties = (nearness[:, 0] == nearness[:, 1]) & data.test_mask
    decided = data.test_mask & ~ties
    right = accuracy(nearness, data, decided) * decided.sum().item() + ties.sum().item() / 2
    spread = label_spreading(data.graph, *data.training_labels())
    return {
        "the larger faction": torch.bincount(data.labels[data.test_mask]).max().item() / num_test,
        "the nearer of the two": right / num_test,
        "label spreading": accuracy(spread, data, data.test_mask),
    }


def four_class_ceiling() -> float:
    """Return the best accuracy of two labels on the four communities: whoever is in the other two cannot be right."""
    groups = communities().tolist()
    seen = {groups[node] for node in LABELLED}
    others = [group for node, group in enumerate(groups) if node not in LABELLED]
    return sum(group in seen for group in others) / len(others)


def project(embeddings: Tensor, axes: Tensor) -> list[list[float]]:
    """Return coordinates on two axes, (num_nodes, 2), around the mean."""
    return ((embeddings - embeddings.mean(dim=0)) @ axes).tolist()


def train_and_score(config: Config, data: NodeData, seed: int, moments: tuple[int, ...]) -> TrainedOnTwoLabels:
    """Train a network on the two labels, keep its embeddings at some steps, and score all other nodes."""
    seed_everything(seed)
    model = karate_network(data.features.shape[1], config.hidden).to(data.features.device)
    start = model.embed(data.features, data.graph).detach()
    untrained = accuracy(nearest_label(start), data, data.test_mask)
    embeddings = {0: start}
    for step in train_on_two_labels(model, data, config.steps, config.learning_rate):
        if step in moments:
            embeddings[step] = model.embed(data.features, data.graph).detach()
    logits = predict(model, data)
    scores = {"untrained, nearest label": untrained, "GCN": accuracy(logits, data, data.test_mask)}
    return TrainedOnTwoLabels(scores, logits.argmax(dim=1) != data.labels, embeddings)


def main(config: Config) -> Results:
    device = pick_device(config.device)
    seed_everything(config.seed)
    data = factions(karate_graph()).to(device)
    moments = (0, config.steps // 20, config.steps // 5, config.steps)
    trained = [train_and_score(config, data, config.seed + seed, moments) for seed in config.seeds]
    each = {name: [network.accuracy[name] for network in trained] for name in trained[0].accuracy}
    wrong = torch.stack([network.wrong for network in trained]).sum(dim=0).tolist()
    embeddings = {step: rows.cpu() for step, rows in trained[0].embeddings.items()}
    # The axes of the end for all moments, so that nodes are seen to move and not the camera.
    last = embeddings[max(embeddings)]
    axes = torch.linalg.svd(last - last.mean(dim=0)).Vh[:2].T
    results = Results(
        accuracy={name: mean_interval(values) for name, values in each.items()},
        each=each,
        baselines=without_a_network(data),
        errors={str(node): count for node, count in enumerate(wrong) if count},
        four_class_ceiling=four_class_ceiling(),
        moments={str(step): project(rows, axes) for step, rows in embeddings.items()},
        labels=data.labels.tolist(),
        edges=data.graph.edge_index.T.tolist(),
    )
    for name, value in results.baselines.items():
        print(f"{name:<26}{value:.1%}")
    for name, (mean, half) in results.accuracy.items():
        print(f"{name:<26}{show_interval(mean, half, '.1%')}, worst {min(each[name]):.1%}")
    print(f"Wrong: {', '.join(f'node {node} ({count} times)' for node, count in results.errors.items())}")
    print(f"On the four communities two labels could reach {results.four_class_ceiling:.1%}")
    return results


def plot(results: Results) -> Figure:
    """Draw where the nodes are in embedding space, early and late."""
    figure, axes = new_figure(12, 3.6, columns=len(results.moments))
    for axis, (step, points) in zip(axes, results.moments.items(), strict=True):
        for source, target in results.edges:
            axis.plot(*zip(points[source], points[target], strict=True), color="0.85", linewidth=0.5, zorder=1)
        for label, name in enumerate(FACTIONS):
            members = [point for node, point in enumerate(points) if results.labels[node] == label]
            axis.scatter(*zip(*members, strict=True), color=COLOURS[label], s=28, label=name, zorder=2)
        known = [points[node] for node in LABELLED]
        ring = {"facecolors": "none", "edgecolors": "black", "s": 90}
        axis.scatter(*zip(*known, strict=True), **ring, label="label known", zorder=3)
        for node in results.errors:
            axis.annotate(f" {node}", points[int(node)], fontsize=8)
        axis.set(title="untrained" if step == "0" else f"after {step} steps", xticks=[], yticks=[])
    axes[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
