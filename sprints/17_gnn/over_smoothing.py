"""Why do graph networks have two layers and not twenty?

    uv run sprints/17_gnn/over_smoothing.py
    uv run sprints/17_gnn/over_smoothing.py --data cora --depths 1 2 4 8 16 --seeds 0 1 2

Each layer averages over neighbours, and averages of averages are all alike. The same depth is tried with plain graph
convolutions, with residuals, without weights between the averages, and with a share of the start kept in each.
Theory: notes/04_depth.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from graph_study.block_models import citations
from graph_study.node_networks import NodeData, NodeNetwork, PerNode, accuracy, gcn, scores, train_network
from graph_study.planetoid import load_planetoid
from shared.checks.intervals import mean_interval
from shared.graph.graphs import Graph, propagate
from shared.graph.layers import GCNLayer
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import pick_device, seed_everything

# None: dropped again before each of sixteen layers, a feature would be gone for another reason than depth.
DROPOUT = 0.0
KINDS = ("GCN", "GCN with residuals", "MLP, then averages", "MLP, then averages with restart")

PRESETS = {
    "cora": {"data": "cora", "seeds": (0, 1, 2)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["drawn", "cora"] = "drawn"  # the drawn citation network, or Cora
    depths: tuple[int, ...] = (1, 2, 4, 8, 16)  # how often a node hears its neighbours
    steps: int = 200  # optimizer steps at most
    networks: tuple[str, ...] = KINDS  # what to compare
    seeds: tuple[int, ...] = (0,)  # of the weights and, if it is drawn, of the network


@dataclass(frozen=True)
class Results:
    depths: list[int]
    # By kind of network and depth: mean and half of the 95 % interval over the seeds.
    test: dict[str, list[tuple[float, float]]]
    train: dict[str, list[tuple[float, float]]]
    # How different nodes are: mean distance of random pairs over the mean norm, before training and after it.
    spread_untrained: dict[str, list[tuple[float, float]]]
    spread: dict[str, list[tuple[float, float]]]


class Residual(GCNLayer):
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
        start = features
        for _ in range(self.depth):
            features = (1 - self.restart) * propagate(features, graph.normalised) + self.restart * start
        return features


def residual(features: int, classes: int, depth: int) -> NodeNetwork:
    """Return a network of as many graph convolutions as `gcn`, all but the first and the last with a residual."""
    middle = [Residual(16, 16) for _ in range(depth - 2)]
    layers = [GCNLayer(features, 16), *middle, GCNLayer(16, classes)] if depth > 1 else [GCNLayer(features, classes)]
    return NodeNetwork(layers, functional.relu, DROPOUT)


def averaged(features: int, classes: int, depth: int, restart: float) -> NodeNetwork:
    """Return a perceptron whose logits are averaged over neighbours, again and again."""
    layers = [PerNode(features, 16), PerNode(16, classes), Averages(depth, restart)]
    # The activation stands between all layers: logits of the perceptron may not be cut at 0, so it is tanh.
    return NodeNetwork(layers, torch.tanh, DROPOUT)


MAKERS: tuple[Callable[[int, int, int], NodeNetwork], ...] = (
    lambda features, classes, depth: gcn(features, classes, depth=depth, dropout=DROPOUT),
    residual,
    lambda *sizes: averaged(*sizes, restart=0.0),
    lambda *sizes: averaged(*sizes, restart=0.1),
)
NETWORKS = dict(zip(KINDS, MAKERS, strict=True))


@torch.no_grad()
def spread(model: NodeNetwork, data: NodeData, generator: torch.Generator) -> float:
    """Return the mean distance of the logits of random pairs over their mean norm; 0 when all nodes are alike."""
    logits = scores(model, data).cpu()
    one, other = torch.randint(len(logits), (2, 2000), generator=generator)
    return ((logits[one] - logits[other]).norm(dim=1).mean() / logits.norm(dim=1).mean().clamp(min=1e-12)).item()


def run(config: Config, data: NodeData, name: str, depth: int, seed: int) -> dict[str, float]:
    generator = seed_everything(seed)
    model = NETWORKS[name](data.features.shape[1], data.classes, depth).to(data.labels.device)
    before = spread(model, data, generator)
    list(train_network(model, data, steps=config.steps, learning_rate=0.01, weight_decay=5e-4))
    said = scores(model, data)
    return {
        "test": accuracy(said, data, data.test),
        "train": accuracy(said, data, data.train),
        "spread_untrained": before,
        "spread": spread(model, data, generator),
    }


def main(config: Config) -> Results:
    device = pick_device(config.device)
    if unknown := set(config.networks) - set(NETWORKS):
        raise ValueError(f"networks must be of {', '.join(NETWORKS)}; got {', '.join(sorted(unknown))}")
    found: dict[str, dict[str, list[list[float]]]] = {}
    with tqdm(total=len(config.networks) * len(config.depths) * len(config.seeds), desc="networks") as bar:
        for seed in config.seeds:
            drawn = config.data == "drawn"
            data = (citations(seed_everything(config.seed + seed)).data if drawn else load_planetoid("cora")).to(device)
            for name in config.networks:
                for place, depth in enumerate(config.depths):
                    for kind, value in run(config, data, name, depth, config.seed + seed).items():
                        rows = found.setdefault(kind, {}).setdefault(name, [[] for _ in config.depths])
                        rows[place].append(value)
                    bar.update()
    means = {
        kind: {name: [mean_interval(values) for values in rows] for name, rows in names.items()}
        for kind, names in found.items()
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
    for place, (kinds, title) in zip(axes, drawn, strict=True):
        for name, values in kinds.items():
            means, halves = zip(*values, strict=True)
            place.errorbar(results.depths, means, halves, marker="o", capsize=2, label=name)
        place.set(xlabel="depth", title=title, xscale="log")
        place.set_xticks(results.depths, [str(depth) for depth in results.depths])
        place.minorticks_off()
    for place in axes[:2]:
        place.set_ylim(0, 1.05)
    axes[2].set_yscale("log")
    axes[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot, presets=PRESETS)
