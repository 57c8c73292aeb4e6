"""Does SEAL learn from cut-out graphs what heuristics count, and is it the labels that it learns from?

    uv run sprints/27_graphs_downstream/learnt_heuristics.py
    uv run sprints/27_graphs_downstream/learnt_heuristics.py --preset cora

A small world: a ring in which each node knows its nearest ones, and some edges lead elsewhere (Watts & Strogatz 1998);
or the citations of Cora, without their words. Theory: notes/04_encoders_and_decoders.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.heuristics import HEURISTICS
from downstream.link_models import LinkSplit, split_links
from downstream.link_scores import Pairs, auc, draw_unlinked
from downstream.seal import ScoredCutOuts, SealNetwork, cut_outs, fit_seal, seal_scores
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.graph.graphs import Graph
from shared.graph.planetoid import load_planetoid
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Even, Fraction, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

SEAL, CONTROL = "SEAL", "SEAL without labels"


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["small world", "cora"] = "small world"  # a graph that is drawn, or the citations of Cora
    nodes: PositiveInt = 300  # of the small world
    degree: Even = 8  # neighbours of a node in the small world
    elsewhere: Fraction = 0.2  # share of its edges that lead anywhere
    hops: PositiveInt = 1  # steps around each end that are cut out
    pairs: PositiveInt = 400  # training edges that SEAL learns from, at most, and as many wrong pairs
    width: PositiveInt = 32  # numbers of a node
    epochs: PositiveInt = 12  # times that SEAL sees its pairs, at most: the best on validation counts
    rates: tuple[PositiveFloat, ...] = (0.003,)  # learning rates that are tried
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws another graph or split, and other weights


PRESETS = {"cora": {"data": "cora", "hops": 2, "pairs": 1000, "rates": (0.001, 0.003)}}


@dataclass(frozen=True)
class Results:
    auc: dict[str, MeanInterval]  # of test edges against as many random pairs


def small_world(nodes: int, degree: int, elsewhere: float, generator: torch.Generator) -> Graph:
    """Return a ring in which each node is joined to its nearest ones; some edges keep one end and draw the other."""
    first = torch.arange(nodes).repeat(degree // 2)
    second = (first + torch.arange(1, degree // 2 + 1).repeat_interleave(nodes)) % nodes
    moved = torch.rand(len(first), generator=generator) < elsewhere
    anyone = (first + torch.randint(1, nodes, (len(first),), generator=generator)) % nodes
    pairs = torch.stack([first, torch.where(moved, anyone, second)], dim=1).sort(dim=1).values.unique(dim=0)
    return Graph.undirected(pairs, nodes)


def cut(graph: Graph, right: Pairs, wrong: Pairs, hops: int) -> ScoredCutOuts:
    """Return the graphs around right and wrong pairs, cut out of the training edges."""
    return ScoredCutOuts(cut_outs(graph, right, hops), cut_outs(graph, wrong, hops))


def by_seal(split: LinkSplit, learnt_wrong: Pairs, config: Config, seed: int) -> dict[str, float]:
    """Return the AUC of SEAL and of its control on test edges."""
    parts = [
        cut(split.graph, split.train[: config.pairs], learnt_wrong, config.hops),
        cut(split.graph, split.val, split.val_wrong, config.hops),
        cut(split.graph, split.test, split.test_wrong, config.hops),
    ]
    found = {}
    for name in (CONTROL, SEAL):
        tried = []
        for rate in config.rates:
            torch.manual_seed(seed)
            model, generator = SealNetwork(config.width, labelled=name == SEAL), torch.Generator().manual_seed(seed)
            value = fit_seal(model, parts[0], parts[1], epochs=config.epochs, rate=rate, generator=generator)
            tried.append((value, model))
        found[name] = auc(*seal_scores(max(tried, key=lambda one: one[0])[1], parts[2]))
    return found


def one_seed(config: Config, seed: int) -> dict[str, float]:
    """Return the AUC of each score on one graph and split."""
    generator = torch.Generator().manual_seed(seed)
    if config.data == "cora":
        graph = load_planetoid("cora").graph
    else:
        graph = small_world(config.nodes, config.degree, config.elsewhere, generator)
    split = split_links(graph, 0.05, 0.1, 1, generator)
    # Training does not know the hidden edges: now and then one of them is among its wrong pairs.
    learnt_wrong = draw_unlinked(split.graph, min(config.pairs, len(split.train)), generator)
    pairs, count = torch.cat([split.test, split.test_wrong]), len(split.test)
    found = {}
    for name, score in HEURISTICS.items():
        values = score(split.graph, pairs)
        found[name] = auc(values[:count], values[count:])
    return {**found, **by_seal(split, learnt_wrong, config, seed)}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    rows = [one_seed(config, seed) for seed in tqdm(config.seeds, unit="seed")]
    found = {name: mean_interval([row[name] for row in rows]) for name in rows[0]}
    for name, interval in found.items():
        print(f"{name:<22} AUC {show_interval(*interval, '.3f')}")
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw the AUC of each score, those that are trained in another colour."""
    figure, axes = new_figure(7.0, 3.2)
    for number, (name, (mean, half)) in enumerate(results.auc.items()):
        colour = COLOURS[1] if name in (SEAL, CONTROL) else COLOURS[0]
        axes.errorbar(mean, number, xerr=error_bars([half]), fmt="o", color=colour, capsize=3)
    axes.set_yticks(range(len(results.auc)), list(results.auc))
    axes.invert_yaxis()
    axes.axvline(0.5, color="0.6", linestyle="--", linewidth=1)
    axes.set(xlabel="AUC of test edges against random pairs", xlim=(0.25, 1))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
