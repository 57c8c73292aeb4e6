"""Two weak signals, the words of a node and its edges: where does neither find the groups, and both together do?

    uv run sprints/27_graphs_downstream/words_and_edges.py
    uv run sprints/27_graphs_downstream/words_and_edges.py --preset large

Graphs of two groups whose nodes have features, lambda^2 = mu^2 / gamma = strength. Each alone finds the groups where
its strength is above 1, both together where the sum is. Beside the best there is: networks with some labels.
Theory: notes/12_words_on_nodes.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from downstream.contextual import ContextualGraph, belief_of_both, contextual_block_model
from downstream.node_training import Nodes, WordsAndNeighbours, WordsOnly, search_and_fit
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import rates_of
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

PRESETS = {"large": {"nodes": 4000, "features": 1000, "steps": 100, "rates": (0.003, 0.01, 0.03)}}
ALONE = {"edges": (True, False), "words": (False, True), "both": (True, True)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 1000  # nodes of a graph
    features: PositiveInt = 250  # numbers that each node has; gamma = nodes / features
    degree: PositiveFloat = 10.0  # mean number of neighbours
    strengths: Annotated[tuple[PositiveFloat, ...], Different] = (0.25, 0.5, 0.75, 1.0, 1.5, 2.5)  # of each signal
    labelled: Annotated[float, Field(gt=0, lt=0.4)] = 0.1  # share of nodes with a label; as many choose settings
    steps: PositiveInt = 60  # optimizer steps of a network
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01, 0.03)  # learning rates that are tried
    decays: Annotated[tuple[float, ...], Different] = (0.01, 1.0)  # weight decays that are tried
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other graphs


@dataclass(frozen=True)
class Results:
    """Shares of nodes that are right, by strength: means over graphs with 95 % intervals."""

    strengths: list[float]
    without_labels: dict[str, list[MeanInterval]]  # belief propagation on edges, on words, on both
    with_labels: dict[str, list[MeanInterval]]  # of test nodes: the same with labels, and networks


def masks(count: int, share: float, generator: torch.Generator) -> list[torch.Tensor]:
    """Return who trains, who chooses and who tests."""
    order, each = torch.randperm(count, generator=generator), max(2, round(share * count))
    parts = order[:each], order[each : 2 * each], order[2 * each :]
    return [torch.zeros(count, dtype=torch.bool).index_fill(0, part, True) for part in parts]


def beliefs(drawn: ContextualGraph, strength: float, config: Config, known: torch.Tensor | None) -> dict[str, float]:
    """Return the share that is right of each use of the signals; without labels the better naming of the groups."""
    rates, nothing = rates_of(config.degree, strength**0.5, 2), rates_of(config.degree, 0.0, 2)
    mu, found = (strength * config.nodes / config.features) ** 0.5, {}
    for name, (edges, words) in ALONE.items():
        start = torch.Generator().manual_seed(0)
        odds = belief_of_both(drawn, rates if edges else nothing, mu if words else 0.0, start, known=known)
        right = (odds > 0).long() == drawn.groups
        if known is None:
            share = right.double().mean().item()
            found[name] = max(share, 1 - share)
        else:
            found[name] = right[~known].double().mean().item()
    return found


def networks(drawn: ContextualGraph, parts: list[torch.Tensor], config: Config, seed: int) -> dict[str, float]:
    """Return the share of test nodes that trained networks have right, each with its best settings."""
    nodes = Nodes(drawn.features, drawn.graph, drawn.groups, *parts)
    no_words, width = nodes._replace(features=torch.ones(config.nodes, 1)), config.features
    arms = {
        "words, network": (nodes, False, lambda: WordsOnly(width, 32, 2, 0.5)),
        "edges, network": (no_words, True, lambda: WordsAndNeighbours(3, 32, 2, 0.0)),
        "both, network": (nodes, True, lambda: WordsAndNeighbours(width + 2, 32, 2, 0.5)),
    }
    found = {}
    for name, (data, tell, make) in arms.items():
        found[name], _ = search_and_fit(
            make, data, seed, steps=config.steps, rates=config.rates, decays=config.decays, tell=tell
        )
    return found


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    gamma = config.nodes / config.features
    without: dict[str, list[MeanInterval]] = {}
    with_labels: dict[str, list[MeanInterval]] = {}
    for strength in tqdm(config.strengths, unit="strength"):
        rows, labelled = [], []
        for seed in config.seeds:
            generator = torch.Generator().manual_seed(seed)
            rates = rates_of(config.degree, strength**0.5, 2)
            drawn = contextual_block_model(config.nodes, config.features, rates, (strength * gamma) ** 0.5, generator)
            rows.append(beliefs(drawn, strength, config, None))
            parts = masks(config.nodes, config.labelled, generator)
            labelled.append(beliefs(drawn, strength, config, parts[0]) | networks(drawn, parts, config, seed))
        for table, values in ((without, rows), (with_labels, labelled)):
            for name in values[0]:
                table.setdefault(name, []).append(mean_interval([value[name] for value in values]))
        print(f"strength {strength:g}: without a label", end="")
        print("".join(f", {name} {values[-1][0]:.3f}" for name, values in without.items()), end="; with labels")
        print("".join(f", {name} {values[-1][0]:.3f}" for name, values in with_labels.items()), flush=True)
    return Results(list(config.strengths), without, with_labels)


def plot(results: Results) -> Figure:
    """Draw both tables over the strength of each signal."""
    figure, (left, right) = new_figure(9.0, 4.0, columns=2)
    for axes, table, title in (
        (left, results.without_labels, "without a label"),
        (right, results.with_labels, "with labels: broken the best, full a network"),
    ):
        for name, values in table.items():
            colour = COLOURS[list(ALONE).index(name.split(",")[0])]
            style = "-" if axes is left or "network" in name else "--"
            means, bars = [mean for mean, _ in values], error_bars([half for _, half in values])
            axes.errorbar(
                results.strengths, means, bars, fmt="o" + style, color=colour, markersize=4, capsize=3, label=name
            )
        axes.set(xlabel="strength of each signal", ylabel="share of nodes right", title=title, ylim=(0.45, 1.02))
        axes.legend(frameon=False, fontsize=8)
    for threshold in (0.5, 1.0):
        left.axvline(threshold, color="0.6", linestyle=":", linewidth=1)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
