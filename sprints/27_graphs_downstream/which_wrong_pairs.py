"""The same scores, other wrong pairs: how good does a score look beside random, popular, near and false wrong pairs?

    uv run sprints/27_graphs_downstream/which_wrong_pairs.py
    uv run sprints/27_graphs_downstream/which_wrong_pairs.py --nodes 500 --seeds 0 1

Two groups in which some nodes are far more popular than others. Theory: notes/02_which_pairs_are_wrong.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from downstream.heuristics import adamic_adar, common_neighbours, preferential_attachment
from downstream.link_scores import auc, draw_unlinked, hide_edges, hits_at, undirected_pairs
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.graphs import Graph
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

SCORES = {"product of degrees": preferential_attachment, "common neighbours": common_neighbours,
          "Adamic–Adar": adamic_adar}  # fmt: skip
RATES, GROUPS = "the pair's rate", "same group"
WRONG = ("random", "as popular", "two steps away", "hidden edges among them")


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 800  # nodes of a graph
    degree: PositiveFloat = 10.0  # mean number of neighbours
    inside: PositiveFloat = 0.85  # share of the edges that stay inside a group
    spread: PositiveFloat = 1.0  # of the logarithm of popularity: standard deviation
    hidden: PositiveFloat = 0.1  # share of the edges that is looked for
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws another graph


@dataclass(frozen=True)
class Results:
    aucs: dict[str, dict[str, MeanInterval]]  # by wrong pairs and score
    hits: dict[str, MeanInterval]  # Hits@50 of the pair's rate against random pairs, by the number of these
    mislabelled: MeanInterval  # share of the wrong pairs that are hidden edges, where these can be drawn


def popular_graph(config: Config, generator: torch.Generator) -> tuple[Graph, Float[Tensor, "nodes nodes"]]:
    """Return a graph of two groups, and how likely each pair was (a block model corrected for degrees).

    Karrer & Newman (2011): the rate of a pair is the product of both popularities, times that of the groups.
    """
    groups = torch.arange(config.nodes) % 2
    popular = torch.exp(config.spread * torch.randn(config.nodes, generator=generator))
    rates = torch.outer(popular, popular)
    same = groups[:, None] == groups
    rates = rates * torch.where(same, config.inside, 1 - config.inside)
    rates = (rates * config.degree * config.nodes / rates.sum()).clamp(max=0.9)
    drawn = (torch.rand(rates.shape, generator=generator) < rates).triu(1)
    return Graph.undirected(drawn.nonzero(), config.nodes), rates


def as_popular(
    graph: Graph, right: Int[Tensor, "pairs 2"], generator: torch.Generator, tries: int = 200
) -> Int[Tensor, "pairs 2"]:
    """Return for each right pair an unlinked one of the same first node, whose second is drawn by its degree."""
    degrees = torch.bincount(graph.edge_index[0], minlength=graph.num_nodes).double()
    linked = {tuple(pair) for pair in undirected_pairs(graph).tolist()}
    found = []
    for first, _ in right.tolist():
        others = torch.multinomial(degrees, tries, replacement=True, generator=generator).tolist()
        free = (other for other in others if other != first and (min(first, other), max(first, other)) not in linked)
        found.append((first, next(free)))
    return torch.tensor(found)


def two_steps_away(graph: Graph, count: int, generator: torch.Generator) -> Int[Tensor, "pairs 2"]:
    """Draw unlinked pairs that have a common neighbour."""
    drawn = draw_unlinked(graph, min(40 * count, graph.num_nodes**2 // 8), generator)
    near = drawn[common_neighbours(graph, drawn) > 0]
    return near[:count]


def measure(config: Config, seed: int) -> tuple[dict[str, dict[str, float]], dict[str, float], float]:
    """Return AUCs by wrong pairs and score, hits by number of wrong pairs, and the share of false wrong pairs."""
    generator = torch.Generator().manual_seed(seed)
    graph, rates = popular_graph(config, generator)
    seen, right = hide_edges(graph, config.hidden, generator)
    # Drawn as unlinked in what is left of the graph, by popularity, some "wrong" pairs are hidden edges.
    careless = as_popular(seen, right, generator)
    wrong = {
        "random": draw_unlinked(graph, len(right), generator),
        "as popular": as_popular(graph, right, generator),
        "two steps away": two_steps_away(graph, len(right), generator),
        "hidden edges among them": careless,
    }
    hidden = {tuple(sorted(pair)) for pair in right.tolist()}
    false = sum(tuple(sorted(pair)) in hidden for pair in careless.tolist()) / len(careless)
    scores: dict[str, Callable[[Tensor], Tensor]] = {name: partial(score, seen) for name, score in SCORES.items()}
    scores[RATES] = lambda pairs: rates[pairs[:, 0], pairs[:, 1]].double()
    scores[GROUPS] = lambda pairs: (pairs[:, 0] % 2 == pairs[:, 1] % 2).double()
    aucs = {
        kind: {name: auc(score(right), score(pairs)) for name, score in scores.items()} for kind, pairs in wrong.items()
    }
    hits = {}
    for times in (1, 10):
        many = draw_unlinked(graph, times * len(right), generator)
        hits[f"{times} for each edge"] = hits_at(scores[RATES](right), scores[RATES](many), 50)
    return aucs, hits, false


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    found = [measure(config, seed) for seed in tqdm(config.seeds, unit="graph")]
    names = [*SCORES, RATES, GROUPS]
    aucs = {kind: {name: mean_interval([row[kind][name] for row, _, _ in found]) for name in names} for kind in WRONG}
    for kind, row in aucs.items():
        print(f"{kind:<24}", ", ".join(f"{name} {value[0]:.3f}" for name, value in row.items()))
    hits = {times: mean_interval([row[times] for _, row, _ in found]) for times in found[0][1]}
    print("Hits@50 of the pair's rate:", ", ".join(f"{times} {value[0]:.3f}" for times, value in hits.items()))
    return Results(aucs, hits, mean_interval([false for _, _, false in found]))


def plot(results: Results) -> Figure:
    """Draw the AUC of each score, by the wrong pairs it is compared with."""
    figure, axes = new_figure(7.5, 3.6)
    for number, name in enumerate(next(iter(results.aucs.values()))):
        values = [row[name] for row in results.aucs.values()]
        places = [place + 0.16 * (number - 2) for place in range(len(WRONG))]
        axes.bar(places, [mean for mean, _ in values], 0.15, yerr=error_bars([half for _, half in values]),
                 color=COLOURS[number], capsize=2, label=name)  # fmt: skip
    axes.axhline(0.5, color="black", linestyle="--", linewidth=1)
    axes.set_xticks(
        range(len(WRONG)), ["random", "as popular", "two steps away", "as popular, with\nhidden edges among them"]
    )
    axes.set(ylabel="AUC", ylim=(0.3, 1.05))
    axes.legend(frameon=False, fontsize=8, ncols=2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
