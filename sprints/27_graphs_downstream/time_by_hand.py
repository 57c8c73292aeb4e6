"""How far does a label reach along edges and along time? A neighbour that was labelled once, worked out by hand.

    uv run sprints/27_graphs_downstream/time_by_hand.py
    uv run sprints/27_graphs_downstream/time_by_hand.py --memory 0.95

Node A is labelled at time 0 and joined with B at that time alone. What is known of B later? And if a second labelled
node is joined with B at the last time? Theory: notes/09_communities_that_change.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from downstream.changing_blocks import beliefs_through_time, threshold
from shared.graph.block_models import rates_of
from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, Share
from shared.lab.run import run

TIMES = 4


@dataclass(frozen=True)
class Config(ScriptConfig):
    degree: PositiveFloat = 5.0  # mean number of neighbours
    signal: PositiveFloat = 1.1  # lambda
    memory: Share = 0.8  # probability that a node keeps its group from one time to the next

    def check(self) -> None:
        """Check that such rates exist."""
        rates_of(self.degree, self.signal, 2)


@dataclass(frozen=True)
class Results:
    # What is left of a label behind an edge, and behind a step in time.
    edge: float
    step: float
    # The probability that B is in A's group at each time, by messages and by the formula.
    one_label: list[float]
    by_formula: list[float]
    two_labels: list[float]
    threshold: float


def beliefs(config: Config, last_too: bool) -> list[float]:
    """Return the probability of A's group at B at each time; C is labelled at the last time."""
    empty = Graph.undirected([], 3)
    graphs = [
        Graph.undirected([(0, 1)], 3),
        *[empty] * (TIMES - 2),
        Graph.undirected([(1, 2)], 3) if last_too else empty,
    ]
    evidence = torch.zeros(TIMES, 3, 2)
    evidence[0, 0, 1] = -math.inf
    evidence[-1, 2, 1] = -math.inf
    rates, generator = rates_of(config.degree, config.signal, 2), torch.Generator().manual_seed(config.seed)
    found = beliefs_through_time(graphs, rates, config.memory, generator, evidence=evidence, balanced=False)
    return found[:, 1, 0].tolist()


def main(config: Config) -> Results:
    edge = config.signal / math.sqrt(config.degree)
    by_formula = [0.5 + 0.5 * edge * config.memory**time for time in range(TIMES)]
    results = Results(
        edge, config.memory, beliefs(config, False), by_formula, beliefs(config, True), threshold(config.memory)
    )
    print(f"an edge keeps {edge:.3f} of a label, a step in time {config.memory:g}; threshold {results.threshold:.3f}")
    for name in ("one_label", "by_formula", "two_labels"):
        print(f"{name:<12}", "  ".join(f"{value:.3f}" for value in vars(results)[name]))
    return results


def plot(results: Results) -> Figure:
    """Draw nodes by time from left to right, one and two labels."""
    figure, axes = drawings.canvas(12.6, 2.9)
    for number, (values, title) in enumerate(((results.one_label, "one label"), (results.two_labels, "two labels"))):
        left = 1.1 + 6.3 * number
        places = [(left + 1.35 * time, 0.8) for time in range(TIMES)]
        pairs = [(time, time + 1) for time in range(TIMES - 1)]
        labels = [(left, 1.95)] + ([(left + 1.35 * (TIMES - 1), 1.95)] if number else [])
        pairs += [(0, TIMES)] + ([(TIMES - 1, TIMES + 1)] if number else [])
        words = [f"{value:.3f}" for value in values] + ["label"] * len(labels)
        strengths = [max(0.1, 2 * value - 1) for value in values] + [1.0] * len(labels)
        draw_graph(axes, places + labels, pairs, words, colours=drawings.VALUE, strengths=strengths, radius=0.33)
        for time in range(TIMES):
            drawings.text(axes, f"time {time}", places[time][0], 0.25)
        drawings.text(axes, "B", left - 0.6, 0.8, bold=True)
        drawings.text(axes, "A", left - 0.6, 1.95, bold=True)
        if number:
            drawings.text(axes, "C", places[-1][0] + 0.6, 1.95, bold=True)
        drawings.text(axes, title, left + 2.0, 2.65, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
