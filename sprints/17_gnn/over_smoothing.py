"""Why do graph networks have two layers and not twenty?

    uv run sprints/17_gnn/over_smoothing.py
    uv run sprints/17_gnn/over_smoothing.py --data cora --depths 1 2 4 8 16 --seeds 0 1 2

Each layer averages over neighbours, and averages of averages are all alike. The same depth is tried with plain graph
convolutions, with residuals, without weights between the averages, and with a share of the start kept in each.
Theory: notes/07_depth.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from graph_study.citations import draw_citations
from graph_study.node_networks import NodeNetwork, PerNode, accuracy, gcn, predict, train_network
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.graphs import Graph
from shared.graph.layers import GCNLayer
from shared.graph.message_passing import propagate
from shared.graph.node_data import NodeData
from shared.graph.planetoid import load_planetoid
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

# None: dropped again before each of sixteen layers, a feature would be gone for another reason than depth.
DROPOUT = 0.0
Kind = Literal["GCN", "GCN with residuals", "MLP, then averages", "MLP, then averages with restart"]
KINDS: tuple[Kind, ...] = get_args(Kind)

TOLERANCE = {"test.*": TRAINED, "train.*": TRAINED, "spread.*": TRAINED}
PRESETS = {
    "cora": {"data": "cora", "seeds": (0, 1, 2)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["drawn", "cora"] = "drawn"  # the drawn citation network, or Cora
    depths: Annotated[tuple[PositiveInt, ...], Different] = (1, 2, 4, 8, 16)  # how often a node hears its neighbours
    steps: PositiveInt = 200  # optimizer steps at most
    networks: Annotated[tuple[Kind, ...], Different] = KINDS  # what to compare
    seeds: Seeds = (0,)  # of the weights and, if it is drawn, of the network


@dataclass(frozen=True)
class Results:
    depths: list[int]
    # By kind of network and depth: mean and half of the 95 % interval over the seeds.
    test: dict[str, list[MeanInterval]]
    train: dict[str, list[MeanInterval]]
    # How different nodes are: mean distance of random pairs over the mean norm, before training and after it.
    spread_untrained: dict[str, list[MeanInterval]]
    spread: dict[str, list[MeanInterval]]


class ResidualGCNLayer(GCNLayer):
    """A graph convolution whose input is added to its output (He et al. 2016), so that nothing is averaged away."""

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        return features + super().forward(features, graph)


class Averages(nn.Module):
    """Averages over neighbours, `depth` times, without weights: h <- (1 - restart) A h + restart h_0.

    Without a restart this is the linear part of SGC (Wu et al. 2019); with one, personalised PageRank (Gasteiger et
    al. 2019, equation 4, APPNP), in which a node never forgets itself however often it hears others.
    """

    def __init__(self, depth: int, restart: float) -> None:
        super().__init__()
        self.depth, self.restart = depth, restart

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        start, norm = features, graph.gcn_normalised
        for _ in range(self.depth):
            arrived = propagate(features, norm.edge_index, norm.edge_weight)
            features = (1 - self.restart) * arrived + self.restart * start
        return features


def residual_gcn(in_features: int, num_classes: int, depth: int) -> NodeNetwork:
    """Return a network of as many graph convolutions as `gcn`, all but the first and the last with a residual."""
    if depth == 1:
        return NodeNetwork([GCNLayer(in_features, num_classes)], functional.relu, DROPOUT)
    middle = [ResidualGCNLayer(16, 16) for _ in range(depth - 2)]
    layers = [GCNLayer(in_features, 16), *middle, GCNLayer(16, num_classes)]
    return NodeNetwork(layers, functional.relu, DROPOUT)


def averaged_mlp(in_features: int, num_classes: int, depth: int, restart: float) -> NodeNetwork:
    """Return a perceptron whose logits are averaged over neighbours, again and again."""
    layers = [PerNode(in_features, 16), PerNode(16, num_classes), Averages(depth, restart)]
    # The activation stands between all layers: logits of the perceptron may not be cut at 0, so it is tanh.
    return NodeNetwork(layers, torch.tanh, DROPOUT)


MAKERS: tuple[Callable[[int, int, int], NodeNetwork], ...] = (
    lambda in_features, num_classes, depth: gcn(in_features, num_classes, depth=depth, dropout=DROPOUT),
    residual_gcn,
    lambda *sizes: averaged_mlp(*sizes, restart=0.0),
    lambda *sizes: averaged_mlp(*sizes, restart=0.1),
)
NETWORKS: dict[str, Callable[[int, int, int], NodeNetwork]] = dict(zip(KINDS, MAKERS, strict=True))


@torch.no_grad()
def spread(model: NodeNetwork, data: NodeData, generator: torch.Generator) -> float:
    """Return the mean distance of the logits of random pairs over their mean norm; 0 when all nodes are alike."""
    logits = predict(model, data).cpu()
    one, other = torch.randint(len(logits), (2, 2000), generator=generator)
    return ((logits[one] - logits[other]).norm(dim=1).mean() / logits.norm(dim=1).mean().clamp(min=1e-12)).item()


def train_and_measure(config: Config, data: NodeData, name: str, depth: int, seed: int) -> dict[str, float]:
    """Return what one network is worth, and how different it makes nodes before training and after it."""
    generator = seed_everything(seed)
    model = NETWORKS[name](data.features.shape[1], data.num_classes, depth).to(data.labels.device)
    before = spread(model, data, generator)
    list(train_network(model, data, steps=config.steps, learning_rate=0.01, weight_decay=5e-4))
    logits = predict(model, data)
    return {
        "test": accuracy(logits, data, data.test_mask),
        "train": accuracy(logits, data, data.train_mask),
        "spread_untrained": before,
        "spread": spread(model, data, generator),
    }


def main(config: Config) -> Results:
    device = pick_device(config.device)
    # By measure, network and depth: a value for each seed.
    measured: dict[str, dict[str, list[list[float]]]] = {}
    with tqdm(total=len(config.networks) * len(config.depths) * len(config.seeds), desc="networks") as bar:
        for seed in config.seeds:
            generator = seed_everything(config.seed + seed)
            data = draw_citations(generator).data if config.data == "drawn" else load_planetoid("cora")
            data = data.to(device)
            for name in config.networks:
                for column, depth in enumerate(config.depths):
                    values = train_and_measure(config, data, name, depth, config.seed + seed)
                    for measure, value in values.items():
                        rows = measured.setdefault(measure, {}).setdefault(name, [[] for _ in config.depths])
                        rows[column].append(value)
                    bar.update()
    means = {
        measure: {name: [mean_interval(values) for values in rows] for name, rows in networks.items()}
        for measure, networks in measured.items()
    }
    print(f"{'test accuracy at depth':<34}", "  ".join(f"{depth:5d}" for depth in config.depths))
    for name, values in means["test"].items():
        print(f"{name:<34}", "  ".join(f"{mean:5.1%}" for mean, _ in values))
    return Results(list(config.depths), **means)


def plot(results: Results) -> Figure:
    """Draw accuracy and how different nodes are, against depth."""
    figure, axes = new_figure(12, 3.8, columns=3)
    drawn = (
        (results.test, "test accuracy"),
        (results.train, "training accuracy"),
        (results.spread_untrained, "spread, untrained"),
    )
    for axis, (networks, title) in zip(axes, drawn, strict=True):
        for name, values in networks.items():
            means, halves = zip(*values, strict=True)
            axis.errorbar(results.depths, means, error_bars(halves), marker="o", capsize=2, label=name)
        axis.set(xlabel="depth", title=title, xscale="log")
        axis.set_xticks(results.depths, [str(depth) for depth in results.depths])
        axis.minorticks_off()
    for axis in axes[:2]:
        axis.set_ylim(0, 1.05)
    axes[2].set_yscale("log")
    axes[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
