"""How far does one label reach? Beliefs along a chain, worked out exactly and by messages.

    uv run sprints/17_gnn/beliefs_on_a_chain.py
    uv run sprints/17_gnn/beliefs_on_a_chain.py --signal 1.9 --steps 6

Two groups, a mean degree and a signal, as in detectability.py. One node of a chain is labelled; each step away knows a
fixed share less. A node between two labelled ones knows more. Theory: notes/06_block_models.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.graph.block_models import belief_propagation, label_evidence, rates_of
from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    degree: PositiveFloat = 5.0  # mean number of neighbours
    signal: PositiveFloat = 1.1  # (c_in - c_out) / (2 sqrt(degree))
    steps: PositiveInt = 4  # how far to look

    def check(self) -> None:
        """Check that such rates exist."""
        rates_of(self.degree, self.signal, 2)


@dataclass(frozen=True)
class Results:
    inside: float
    outside: float
    # How likely a neighbour is in the same group, and how much of a label a step keeps.
    same: float
    kept: float
    # The probability of the first group at 0, 1, 2, ... steps from a label, by messages and by the formula.
    by_messages: list[float]
    by_formula: list[float]
    between_two: float


def beliefs(graph: Graph, labelled: list[int], config: Config) -> list[float]:
    """Return the probability of the first group at every node, when some are known to be in it."""
    rates = rates_of(config.degree, config.signal, 2)
    known = torch.zeros(graph.num_nodes, dtype=torch.bool)
    known[labelled] = True
    evidence = label_evidence(torch.zeros(graph.num_nodes, dtype=torch.long), known, 2)
    generator = torch.Generator().manual_seed(config.seed)
    return belief_propagation(graph, rates, evidence, generator, balanced=False)[:, 0].tolist()


def main(config: Config) -> Results:
    rates = rates_of(config.degree, config.signal, 2)
    same = rates.inside / (rates.inside + rates.outside)
    kept = 2 * same - 1
    nodes = config.steps + 1
    chain = Graph.undirected([(node, node + 1) for node in range(config.steps)], nodes)
    by_messages = beliefs(chain, [0], config)
    by_formula = [0.5 + 0.5 * kept**step for step in range(nodes)]
    between_two = beliefs(Graph.undirected([(0, 1), (1, 2)], 3), [0, 2], config)[1]
    print(f"a neighbour is in the same group with probability {same:.3f}, so a step keeps {kept:.3f} of a label")
    print("steps from the label:", ", ".join(f"{step}: {value:.3f}" for step, value in enumerate(by_messages)))
    print(f"between two labelled nodes: {between_two:.3f}")
    return Results(rates.inside, rates.outside, same, kept, by_messages, by_formula, between_two)


def plot(results: Results) -> Figure:
    """Draw the chain, and a node between two labels."""
    count = len(results.by_messages)
    figure, axes = drawings.canvas(1.45 * count + 4.6, 1.7)
    places = [(0.7 + 1.45 * step, 0.75) for step in range(count)]
    words = ["label", *(f"{value:.3f}" for value in results.by_messages[1:])]
    strengths = [2 * value - 1 for value in results.by_messages]
    pairs = [(step, step + 1) for step in range(count - 1)]
    draw_graph(axes, places, pairs, words, colours=drawings.VALUE, strengths=strengths, radius=0.32)
    for one, other in pairs:
        drawings.arrow(axes, (places[one][0] + 0.36, 0.75), (places[other][0] - 0.36, 0.75))
    drawings.text(axes, "one label: each step knows less", (places[0][0] + places[-1][0]) / 2, 1.45, bold=True)
    x = 1.45 * count + 1.1
    two = [(x, 0.75), (x + 1.45, 0.75), (x + 2.9, 0.75)]
    shades = [1.0, 2 * results.between_two - 1, 1.0]
    words = ["label", f"{results.between_two:.3f}", "label"]
    draw_graph(axes, two, [(0, 1), (1, 2)], words, colours=drawings.VALUE, strengths=shades, radius=0.32)
    drawings.arrow(axes, (x + 0.36, 0.75), (x + 1.09, 0.75))
    drawings.arrow(axes, (x + 2.54, 0.75), (x + 1.81, 0.75))
    drawings.text(axes, "two labels that agree", x + 1.45, 1.45, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
