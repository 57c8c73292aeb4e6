"""Can two labels and a graph tell who joins whom when a club breaks apart?

    uv run sprints/17_gnn/karate_club.py
    uv run sprints/17_gnn/karate_club.py --hidden 64 --seeds 0 1 2

Zachary (1977) watched a karate club of 34 quarrel and split. Two labels are known, the instructor's and the
president's; the features say only which node a node is. What is left to learn from is who met whom outside of the club.
Theory: notes/01_message_passing.md and notes/02_the_spectral_view.md
"""

from dataclasses import dataclass

import networkx as nx
import torch
from matplotlib.figure import Figure
from torch import Tensor

from graph_study.karate import FACTIONS, LABELLED, communities, factions, karate_graph, network, train_on_two_labels
from graph_study.node_networks import NodeData, accuracy, propagate_labels, scores
from shared.checks.intervals import mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: int = 16  # width of the two graph convolutions
    steps: int = 200  # optimizer steps
    learning_rate: float = 0.01  # of Adam
    seeds: tuple[int, ...] = tuple(range(20))  # each makes another network


@dataclass(frozen=True)
class Results:
    # Of the 32 nodes without a label, by method; mean and half of the 95 % interval over the seeds.
    accuracy: dict[str, tuple[float, float]]
    each: dict[str, list[float]]
    baselines: dict[str, float]
    # How often each node is put to the wrong faction.
    errors: dict[str, int]
    four_class_ceiling: float
    # Two coordinates of every node by step, for the first seed.
    moments: dict[str, list[list[float]]]
    labels: list[int]
    edges: list[list[int]]


def nearest_label(embeddings: Tensor) -> Tensor:
    """Return for each node how near it is to the labelled ones: (nodes, 2). It needs no training."""
    return -torch.cdist(embeddings, embeddings[LABELLED])


def without_a_network(data: NodeData) -> dict[str, float]:
    """Return the accuracy of what needs no network."""
    club = nx.karate_club_graph()
    hops = [nx.single_source_shortest_path_length(club, node) for node in LABELLED]
    distances = torch.tensor([[-float(away[node]) for away in hops] for node in range(data.graph.nodes)])
    # Where both are equally near, half of the guesses are right.
    ties = (distances[:, 0] == distances[:, 1]) & data.test
    right = accuracy(distances, data, data.test & ~ties) * (data.test & ~ties).sum().item() + ties.sum().item() / 2
    votes = torch.bincount(data.labels[data.test])
    return {
        "the larger faction": votes.max().item() / int(data.test.sum()),
        "the nearer of the two": right / int(data.test.sum()),
        "label propagation": accuracy(propagate_labels(data), data, data.test),
    }


def four_class_ceiling() -> float:
    """Return the best accuracy of two labels on the four communities: whoever is in the other two cannot be right."""
    groups = communities().tolist()
    seen = {groups[node] for node in LABELLED}
    others = [group for node, group in enumerate(groups) if node not in LABELLED]
    return sum(group in seen for group in others) / len(others)


def project(embeddings: Tensor, axes: Tensor) -> list[list[float]]:
    """Return coordinates on two axes, (nodes, 2), around the mean."""
    return ((embeddings - embeddings.mean(dim=0)) @ axes).tolist()


def run(config: Config, data: NodeData, seed: int, moments: tuple[int, ...]) -> tuple[dict[str, float], Tensor, dict]:
    """Train a network; return accuracies, which nodes are wrong, and embeddings at some steps."""
    seed_everything(seed)
    model = network(data.features.shape[1], config.hidden).to(data.features.device)
    start = model.embed(data.features, data.graph).detach()
    found = {"untrained, nearest label": accuracy(nearest_label(start), data, data.test)}
    kept = {0: start}
    for step in train_on_two_labels(model, data, config.steps, config.learning_rate):
        if step in moments:
            kept[step] = model.embed(data.features, data.graph).detach()
    said = scores(model, data)
    return {**found, "GCN": accuracy(said, data, data.test)}, said.argmax(dim=1) != data.labels, kept


def main(config: Config) -> Results:
    device = pick_device(config.device)
    seed_everything(config.seed)
    data = factions(karate_graph()).to(device)
    moments = (0, config.steps // 20, config.steps // 5, config.steps)
    runs = [run(config, data, config.seed + seed, moments) for seed in config.seeds]
    each = {name: [one[0][name] for one in runs] for name in runs[0][0]}
    wrong = torch.stack([one[1] for one in runs]).sum(dim=0).tolist()
    kept = {step: embeddings.cpu() for step, embeddings in runs[0][2].items()}
    # The axes of the end for all moments, so that nodes are seen to move and not the camera.
    last = kept[max(kept)]
    axes = torch.linalg.svd(last - last.mean(dim=0)).Vh[:2].T
    results = Results(
        accuracy={name: mean_interval(values) for name, values in each.items()},
        each=each,
        baselines=without_a_network(data),
        errors={str(node): count for node, count in enumerate(wrong) if count},
        four_class_ceiling=four_class_ceiling(),
        moments={str(step): project(embeddings, axes) for step, embeddings in kept.items()},
        labels=data.labels.tolist(),
        edges=data.graph.edges.T.tolist(),
    )
    for name, value in results.baselines.items():
        print(f"{name:<26}{value:.1%}")
    for name, (mean, half) in results.accuracy.items():
        print(f"{name:<26}{mean:.1%} +- {half:.1%}, worst {min(each[name]):.1%}")
    print(f"Wrong: {', '.join(f'node {node} ({count} times)' for node, count in results.errors.items())}")
    print(f"On the four communities two labels could reach {results.four_class_ceiling:.1%}")
    return results


def plot(results: Results) -> Figure:
    """Draw where the nodes are in embedding space, early and late."""
    figure, axes = new_figure(12, 3.6, columns=len(results.moments))
    for place, (step, points) in zip(axes, results.moments.items(), strict=True):
        for one, other in results.edges:
            place.plot(*zip(points[one], points[other], strict=True), color="0.85", linewidth=0.5, zorder=1)
        for label, name in enumerate(FACTIONS):
            its = [point for node, point in enumerate(points) if results.labels[node] == label]
            place.scatter(*zip(*its, strict=True), color=COLOURS[label], s=28, label=name, zorder=2)
        known = [points[node] for node in LABELLED]
        place.scatter(
            *zip(*known, strict=True), facecolors="none", edgecolors="black", s=90, label="label known", zorder=3
        )
        for node in results.errors:
            place.annotate(f" {node}", points[int(node)], fontsize=8)
        place.set(title="untrained" if step == "0" else f"after {step} steps", xticks=[], yticks=[])
    axes[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot)
