"""Which encoder and which decoder find missing links, where like links to like, and where it links to the other?

    uv run sprints/27_graphs_downstream/encoders_and_decoders.py
    uv run sprints/27_graphs_downstream/encoders_and_decoders.py --preset cora

Two groups in a block model, whose ceiling is known, with features that say the group badly; or the papers of Cora.
Settings and steps are chosen on validation edges, the same search for all. Theory: notes/04_encoders_and_decoders.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from downstream.heuristics import HEURISTICS
from downstream.link_models import DECODERS, ENCODERS, HEADS, LinkNetwork, LinkSplit, fit_links, scored, split_links
from downstream.link_scores import auc, hits_at
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import block_model, rates_of
from shared.graph.graphs import Graph
from shared.graph.planetoid import load_planetoid
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds, Share
from shared.lab.run import run

ORACLE, EXAMPLE = "the groups themselves", "PyTorch Geometric's example"
LIKE, OTHER, CORA = "like to like", "to the other group", "Cora"


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["drawn", "cora"] = "drawn"  # two block models, or the citations of Cora
    nodes: PositiveInt = 600  # of a drawn graph
    degree: PositiveFloat = 12.0  # mean number of neighbours in a drawn graph
    signal: PositiveFloat = 3.0  # of the groups; in the second block model it is negative
    hint: PositiveFloat = 0.5  # by how much the mean of a feature differs from 0, in standard deviations
    width: PositiveInt = 32  # numbers of a node's vector; a multiple of 4
    steps: PositiveInt = 100  # optimizer steps
    rates: tuple[PositiveFloat, ...] = (0.01,)  # learning rates that are tried
    dropouts: tuple[Share, ...] = (0.0,)  # probabilities that a feature is dropped that are tried
    wrong: PositiveInt = 10  # wrong pairs for each right one, in validation and test
    hits: PositiveInt = 50  # Hits@K: K
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other graphs, splits and weights

    def check(self) -> None:
        """Check that heads of attention share the width."""
        if self.width % HEADS:
            raise ValueError(f"width must be a multiple of {HEADS}, the heads of GAT; got {self.width}")


PRESETS = {"cora": {"data": "cora", "width": 64, "steps": 200, "rates": (0.003, 0.01), "dropouts": (0.0, 0.5)}}


@dataclass(frozen=True)
class Results:
    ceiling: float | None  # AUC of a large graph if the groups are known, in both block models
    # By data and score: mean over seeds and half of the 95 % interval, on test edges.
    aucs: dict[str, dict[str, MeanInterval]]
    hits: dict[str, dict[str, MeanInterval]]


class World(NamedTuple):
    """A graph to predict edges of."""

    graph: Graph
    features: Tensor
    groups: Tensor | None  # (nodes), of a drawn graph


def draw(name: str, config: Config, generator: torch.Generator) -> World:
    """Return a world: a drawn one has 8 features, of which the first says the group badly."""
    if name == CORA:
        data = load_planetoid("cora")
        return World(data.graph, data.features, None)
    rates = rates_of(config.degree, config.signal if name == LIKE else -config.signal, 2)
    graph, groups = block_model(config.nodes, rates, generator)
    features = torch.randn(config.nodes, 8, generator=generator)
    features[:, 0] += config.hint * (2 * groups - 1)
    return World(graph, features, groups)


def pytorch_geometrics_example(in_features: int) -> nn.Module:
    """Return the network of its examples/link_pred.py: two GCNConv of 128 and 64 numbers and a dot product."""
    from torch_geometric.nn import GCNConv

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = GCNConv(in_features, 128), GCNConv(128, 64)  # ty: ignore[abstract-class-instantiation]

        def forward(self, features: Tensor, graph: Graph, pairs: Tensor) -> Tensor:
            vectors = self.conv2(self.conv1(features, graph.edge_index).relu(), graph.edge_index)
            return (vectors[pairs[:, 0]] * vectors[pairs[:, 1]]).sum(dim=-1)

    return Net()


def networks(config: Config, in_features: int) -> dict[str, Callable[[], nn.Module]]:
    """Return how each network is made."""

    def make(encoder: str, decoder: str) -> Callable[[], nn.Module]:
        return lambda: LinkNetwork(encoder, decoder, in_features, config.width)

    ours = {f"{encoder}, {decoder}": make(encoder, decoder) for encoder, decoder in product(ENCODERS, DECODERS)}
    return {**ours, EXAMPLE: lambda: pytorch_geometrics_example(in_features)}


def search(make: Callable[[], nn.Module], world: World, split: LinkSplit, config: Config, seed: int) -> nn.Module:
    """Return the network that is best on validation edges, of all settings."""
    found = []
    for rate, dropout in product(config.rates, config.dropouts):
        torch.manual_seed(seed)
        model, generator = make(), torch.Generator().manual_seed(seed)
        value = fit_links(model, world.features, split, steps=config.steps, rate=rate, dropout=dropout,
                          generator=generator)  # fmt: skip
        found.append((value, model))
    return max(found, key=lambda one: one[0])[1]


def one_graph(name: str, config: Config, seed: int) -> dict[str, tuple[float, float]]:
    """Return AUC and hits of each score on the test edges of one graph."""
    generator = torch.Generator().manual_seed(seed)
    world = draw(name, config, generator)
    split = split_links(world.graph, 0.05, 0.1, config.wrong, generator)
    pairs = torch.cat([split.test, split.test_wrong])
    values = {score: function(split.graph, pairs) for score, function in HEURISTICS.items()}
    if world.groups is not None:
        values[ORACLE] = ((world.groups[pairs[:, 0]] == world.groups[pairs[:, 1]]) == (name == LIKE)).double()
    scores = {score: (value[: len(split.test)], value[len(split.test) :]) for score, value in values.items()}
    for score, make in tqdm(networks(config, world.features.shape[1]).items(), desc=f"{name} {seed}", unit="network"):
        model = search(make, world, split, config, seed)
        scores[score] = scored(model, world.features, split.graph, split.test, split.test_wrong)
    return {score: (auc(*both), hits_at(*both, config.hits)) for score, both in scores.items()}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    aucs, hits = {}, {}
    names = (CORA,) if config.data == "cora" else (LIKE, OTHER)
    for name in names:
        rows = [one_graph(name, config, seed) for seed in config.seeds]
        aucs[name], hits[name] = ({score: mean_interval([row[score][number] for row in rows]) for score in rows[0]}
                                  for number in (0, 1))  # fmt: skip
        for score, (mean, _) in aucs[name].items():
            print(f"{name}, {score}: AUC {mean:.3f}, Hits@{config.hits} {hits[name][score][0]:.3f}", flush=True)
    rates = rates_of(config.degree, config.signal, 2)
    inside = rates.inside / (rates.inside + rates.outside)
    return Results(0.5 + 0.5 * (inside - 0.5) if config.data == "drawn" else None, aucs, hits)


def plot(results: Results) -> Figure:
    """Draw the AUC of every network and heuristic, a panel for each data set."""
    figure, panels = new_figure(7.4, 5.0, columns=len(results.aucs))
    for panel, (name, row) in zip(np.atleast_1d(panels), results.aucs.items(), strict=True):
        names = list(dict.fromkeys(score.rpartition(", ")[0] or score for score in row))
        for score, (mean, half) in row.items():
            encoder, _, decoder = score.rpartition(", ")
            place = list(DECODERS).index(decoder) if encoder else None
            colour, mark = ("0.4", "D") if place is None else (COLOURS[place], "osv"[place])
            height = names.index(encoder or score) + (0 if place is None else 0.25 * (place - 1))
            label = decoder if encoder == "GCN" else None
            panel.errorbar(mean, height, xerr=error_bars([half]), fmt=mark, color=colour, markersize=4, capsize=2,
                           label=label)  # fmt: skip
        if results.ceiling is not None:
            panel.axvline(results.ceiling, color="black", linestyle="--", linewidth=1)
        panel.axvline(0.5, color="0.7", linewidth=1)
        panel.set_yticks(range(len(names)), names if panel is np.atleast_1d(panels)[0] else [])
        panel.set(title=name, xlabel="AUC of test edges")
        panel.invert_yaxis()
    np.atleast_1d(panels)[0].legend(frameon=False, fontsize=8, title="decoder")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
