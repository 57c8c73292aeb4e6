"""How long does a training step of GCN on Cora take, here and in PyTorch Geometric's example?

    uv run --group reference sprints/17_gnn/benchmark.py

The example of PyTorch Geometric holds the words of papers in a dense matrix, of which one number in eighty is not 0,
and drops out all of it. Here the matrix is sparse. Both do the same otherwise: the same network, rates and data. A
drawn network of Cora's size stands in where Cora cannot be had. Theory: notes/04_papers_that_cite.md
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, cast

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from graph_study.citations import draw_citations
from graph_study.node_networks import NodeNetwork, gcn
from shared.checks.intervals import median_interval
from shared.graph.layers import GCNLayer
from shared.graph.node_data import NodeData
from shared.graph.planetoid import load_planetoid
from shared.lab.compare import ROUNDING, TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything

# The difference is rounding itself: what counts is that it stays small.
TOLERANCE = {"speedup.*": TIMING, "difference": Tolerance(absolute=1e-5), "share_of_features": ROUNDING}
PRESETS = {
    "cora": {"data": "cora"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["cora", "drawn"] = "drawn"  # Cora, or a drawn network
    repeats: PositiveInt = 60  # timed steps of each; the median counts


@dataclass(frozen=True)
class Results:
    # Milliseconds of one training step (forward, backward, Adam): median and its 95 % interval.
    milliseconds: dict[str, tuple[float, float, float]]
    # How many times as fast as the example, in pairs of steps: median and its 95 % interval.
    speedup: dict[str, tuple[float, float, float]]
    # The largest difference of the logits when all have the same weights.
    difference: float
    share_of_features: float


class GeometricGCN(nn.Module):
    """PyTorch Geometric's GCN for Cora: dropout, GCNConv, relu, dropout, GCNConv.

    Args:
        cached: whether the normalised adjacency is kept, as the example does.
    """

    def __init__(self, in_features: int, num_classes: int, *, cached: bool) -> None:
        from torch_geometric.nn import GCNConv

        super().__init__()
        self.first = GCNConv(in_features, 16, cached=cached)  # ty: ignore[abstract-class-instantiation]
        self.second = GCNConv(16, num_classes, cached=cached)  # ty: ignore[abstract-class-instantiation]

    def forward(self, features: Tensor, edge_index: Tensor) -> Tensor:
        hidden = self.first(functional.dropout(features, 0.5, self.training), edge_index).relu()
        return self.second(functional.dropout(hidden, 0.5, self.training), edge_index)

    @torch.no_grad()
    def copy(self, model: NodeNetwork) -> "GeometricGCN":
        """Take over the weights of our network."""
        for theirs, ours in zip((self.first, self.second), cast(list[GCNLayer], [*model.layers]), strict=True):
            theirs.lin.load_state_dict({"weight": ours.weight.T})
            theirs.bias.copy_(cast(Tensor, ours.bias))
        return self


def training_step(model: nn.Module, data: NodeData, logits: Callable[[], Tensor]) -> Callable[[], None]:
    """Return a function that trains for one step, with the optimizer of the example."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)

    def train() -> None:
        model.train()
        optimizer.zero_grad()
        functional.cross_entropy(logits()[data.train_mask], data.labels[data.train_mask]).backward()
        optimizer.step()
        if data.labels.is_cuda:
            torch.cuda.synchronize()

    return train


def main(config: Config) -> Results:
    if find_spec("torch_geometric") is None:
        raise ValueError("this compares with torch_geometric, which is not installed: run it with --group reference")
    device, generator = pick_device(config.device), seed_everything(config.seed)
    keep_freed_memory()
    data = load_planetoid("cora") if config.data == "cora" else draw_citations(generator, num_nodes=2708).data
    data = data.to(device)
    dense, in_features = data.features.to_dense(), data.features.shape[1]
    ours, plain = (gcn(in_features, data.num_classes).to(device) for _ in range(2))
    theirs = GeometricGCN(in_features, data.num_classes, cached=True).to(device).copy(ours)
    plain.load_state_dict(ours.state_dict())
    with torch.no_grad():
        expected = theirs.eval()(dense, data.graph.edge_index)
        answers = (ours.eval()(data.features, data.graph), plain.eval()(dense, data.graph))
        difference = max((answer - expected).abs().max().item() for answer in answers)
    steps = {
        "PyTorch Geometric, dense features": training_step(theirs, data, lambda: theirs(dense, data.graph.edge_index)),
        "ours, dense features": training_step(plain, data, lambda: plain(dense, data.graph)),
        "ours, sparse features": training_step(ours, data, lambda: ours(data.features, data.graph)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in tqdm(range(config.repeats + 5), desc="turns"):
        for name, train in steps.items():
            start = time.perf_counter()
            train()
            if turn >= 5:  # the first turns warm up
                seconds[name].append(time.perf_counter() - start)
    example = seconds["PyTorch Geometric, dense features"]
    results = Results(
        milliseconds={
            name: median_interval([1000 * value for value in values], generator) for name, values in seconds.items()
        },
        speedup={
            name: median_interval([slow / fast for slow, fast in zip(example, values, strict=True)], generator)
            for name, values in seconds.items()
        },
        difference=difference,
        share_of_features=data.features.values().numel() / dense.numel(),
    )
    for name, (median, low, high) in results.milliseconds.items():
        print(f"{name:<34}{median:7.2f} ms ({low:.2f} to {high:.2f}), {results.speedup[name][0]:.2f} x")
    return results


def plot(results: Results) -> Figure:
    """Draw the milliseconds of a step."""
    figure, axes = new_figure(7, 2.4)
    for row, (name, (median, low, high)) in enumerate(results.milliseconds.items()):
        axes.barh(row, median, xerr=[[median - low], [high - median]], color=COLOURS[row])
        axes.text(high, row, f" {results.speedup[name][0]:.1f} x", va="center")
    axes.set_yticks(range(len(results.milliseconds)), list(results.milliseconds))
    axes.set(xlabel="milliseconds of a training step")
    axes.grid(axis="y", visible=False)
    axes.invert_yaxis()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
