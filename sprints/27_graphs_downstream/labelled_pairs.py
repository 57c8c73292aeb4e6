"""Two nodes of a ring are three or four steps apart: who can tell, a node's vector or labels around the pair?

    uv run sprints/27_graphs_downstream/labelled_pairs.py
    uv run sprints/27_graphs_downstream/labelled_pairs.py --rings 10 --hops 3

All nodes of a ring are alike, so their vectors are equal, and so are the scores of all pairs. SEAL cuts out the graph
around a pair and labels its nodes; the control sees the same graph without labels. Where the whole ring is cut out, its
size says nothing; in a longer ring it does. Theory: notes/04_encoders_and_decoders.md
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from downstream.link_models import LinkNetwork
from downstream.link_scores import auc
from downstream.seal import ScoredCutOuts, SealNetwork, cut_outs, fit_seal, seal_scores
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.graph.graphs import Graph, batch_graphs
from shared.graph.motif_graphs import cycle
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

RIGHT, WRONG = 3, 4  # steps between the nodes of a pair, on the whole ring
SEAL, CONTROL = "SEAL", "SEAL without labels"
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Config(ScriptConfig):
    rings: tuple[PositiveInt, ...] = (8, 20)  # nodes of a ring
    copies: PositiveInt = 40  # rings for training; half as many for validation, as many for the test
    hops: PositiveInt = 2  # steps around each end that are cut out
    width: PositiveInt = 16  # numbers of a node
    epochs: PositiveInt = 12  # of SEAL, batches of 16 pairs; the others make as many steps
    rate: PositiveFloat = 0.01  # learning rate
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other pairs and weights

    def check(self) -> None:
        """Check that a ring is long enough for its pairs."""
        if min(self.rings) < 2 * WRONG:
            raise ValueError(
                f"rings need at least {2 * WRONG} nodes, or none are {WRONG} steps apart; got {min(self.rings)}"
            )


@dataclass(frozen=True)
class Results:
    # By nodes of a ring and model, on test pairs: mean over seeds and half of the 95 % interval.
    accuracy: dict[str, dict[str, MeanInterval]]
    auc: dict[str, dict[str, MeanInterval]]
    nodes_cut_out: dict[str, list[int]]  # by nodes of a ring: around a right pair, around a wrong one


class RingPairs(NamedTuple):
    """Right and wrong pairs of one part, and the graph of all its rings."""

    graph: Graph
    right: Tensor  # (pairs, 2)
    wrong: Tensor


def draw(nodes: int, copies: int, generator: torch.Generator) -> RingPairs:
    """Return rings whose nodes have numbers in random order, and a pair of each kind in each ring."""
    graph = batch_graphs([Graph.undirected(cycle(nodes), nodes)] * copies)
    order = torch.randperm(graph.num_nodes, generator=generator)
    first = torch.arange(copies) * nodes
    starts = torch.randint(nodes, (2, copies), generator=generator)
    pairs = [
        torch.stack([order[first + start], order[first + (start + steps) % nodes]], dim=1)
        for start, steps in zip(starts, (RIGHT, WRONG), strict=True)
    ]
    return RingPairs(Graph(order[graph.edge_index], graph.num_nodes), *pairs)


def measures(right: Tensor, wrong: Tensor) -> tuple[float, float]:
    """Return accuracy (a pair counts as right if its logit is above 0) and AUC."""
    return ((right > 0).double().mean().item() + (wrong <= 0).double().mean().item()) / 2, auc(right, wrong)


def by_vectors(encoder: str, parts: dict[str, RingPairs], config: Config) -> tuple[float, float]:
    """Return what a network measures that scores pairs by the vectors of their nodes, all features equal."""
    model = LinkNetwork(encoder, "MLP", 1, config.width).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=config.rate)
    ones = {name: torch.ones(part.graph.num_nodes, 1, dtype=torch.float64) for name, part in parts.items()}
    train, test = parts["train"], parts["test"]
    targets = torch.cat([torch.ones(len(train.right)), torch.zeros(len(train.wrong))]).double()
    for _ in range(config.epochs * 2 * config.copies // 16):
        optimizer.zero_grad()
        logits = model(ones["train"], train.graph, torch.cat([train.right, train.wrong]))
        functional.binary_cross_entropy_with_logits(logits, targets).backward()
        optimizer.step()
    with torch.no_grad():  # Rounded, so that what differs by rounding alone is a tie.
        right, wrong = (model(ones["test"], test.graph, pairs).round(decimals=9) for pairs in (test.right, test.wrong))
    return measures(right, wrong)


def one_seed(nodes: int, config: Config, seed: int) -> tuple[dict[str, tuple[float, float]], list[int]]:
    """Return accuracy and AUC of each model on rings of one length, and how many nodes are cut out."""
    generator = torch.Generator().manual_seed(seed)
    copies = {"train": config.copies, "val": config.copies // 2, "test": config.copies}
    parts = {name: draw(nodes, copies[name], generator) for name in PARTS}
    cut = {
        name: ScoredCutOuts(
            cut_outs(part.graph, part.right, config.hops), cut_outs(part.graph, part.wrong, config.hops)
        )
        for name, part in parts.items()
    }
    found = {}
    for encoder in ("GCN", "SAGE", "GAT"):
        torch.manual_seed(seed)
        found[encoder] = by_vectors(encoder, parts, config)
    for name in (CONTROL, SEAL):
        torch.manual_seed(seed)
        model = SealNetwork(config.width, labelled=name == SEAL)
        fit_seal(model, cut["train"], cut["val"], epochs=config.epochs, rate=config.rate, size=16, generator=generator)
        found[name] = measures(*seal_scores(model, cut["test"]))
    return found, [len(one[0].nodes) for one in cut["test"]]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    accuracy, aucs, sizes = {}, {}, {}
    for nodes in config.rings:
        rows = [one_seed(nodes, config, seed) for seed in tqdm(config.seeds, desc=f"rings of {nodes}", unit="seed")]
        ring = str(nodes)
        accuracy[ring], aucs[ring] = (
            {name: mean_interval([row[name][number] for row, _ in rows]) for name in rows[0][0]} for number in (0, 1)
        )
        sizes[ring] = rows[0][1]
        print(f"rings of {nodes}: {sizes[ring][0]} nodes around a right pair, {sizes[ring][1]} around a wrong one")
        for name, interval in accuracy[ring].items():
            print(f"  {name:<20} accuracy {show_interval(*interval, '.3f')}, AUC {aucs[ring][name][0]:.3f}", flush=True)
    return Results(accuracy, aucs, sizes)


def plot(results: Results) -> Figure:
    """Draw the AUC of each model, a bar for each length of the rings."""
    figure, axes = new_figure(7.0, 3.2)
    for number, (ring, row) in enumerate(results.auc.items()):
        places = [place + 0.38 * (number - (len(results.auc) - 1) / 2) for place in range(len(row))]
        right, wrong = results.nodes_cut_out[ring]
        label = f"rings of {ring}: {right} and {wrong} nodes are cut out"
        means, bars = [mean for mean, _ in row.values()], error_bars([half for _, half in row.values()])
        axes.barh(places, means, 0.36, xerr=bars, color=COLOURS[number], capsize=3, label=label)
    axes.set_yticks(range(len(row)), list(row))
    axes.invert_yaxis()
    axes.axvline(0.5, color="black", linestyle="--", linewidth=1)
    axes.set(xlabel="AUC of pairs three steps apart against four steps", xlim=(0, 1.05))
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
