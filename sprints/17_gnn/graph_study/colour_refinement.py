"""Colour refinement: what message passing can do at most.

Each round, a node's new colour is its old one together with all those of its neighbours (Weisfeiler & Leman 1968,
"1-WL"). Nodes that have one colour get one output from any message passing. Theory: notes/08_colours.md
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from shared.graph.graphs import Graph, batch_graphs


def colour_refinement(graph: Graph, rounds: int | None = None, start: Sequence[Any] | None = None) -> Tensor:
    """Return the colours (num_nodes) after so many rounds, or when they are stable.

    Equal colours mean the same in all graphs of a batch, and in whatever order the nodes stand. Colours count from 0.

    Args:
        graph: the graph, or a batch; the weights of its edges are not looked at.
        rounds: how many (None: until no colour splits any more).
        start: a label of each node (default: all are alike); labels of one sortable kind.

    Raises:
        ValueError: not one label for each node.
    """
    if start is not None and len(start) != graph.num_nodes:
        raise ValueError(f"start must have a label for each of {graph.num_nodes} nodes, got {len(start)}")
    colours, num_colours = _numbered([0] * graph.num_nodes if start is None else start)
    edges = list(zip(*graph.edge_index.tolist(), strict=True))
    while rounds is None or rounds > 0:
        heard: list[list[int]] = [[] for _ in range(graph.num_nodes)]
        for source, target in edges:
            heard[target].append(colours[source])
        # A sorted list is a multiset: how often each colour was heard, not from whom.
        collections = [(own, tuple(sorted(others))) for own, others in zip(colours, heard, strict=True)]
        before, (colours, num_colours) = num_colours, _numbered(collections)
        if rounds is None and num_colours == before:
            break
        rounds = None if rounds is None else rounds - 1
    return torch.tensor(colours)


def _numbered(labels: Sequence[Any]) -> tuple[list[int], int]:
    """Return for each label its number among the different ones, and how many these are."""
    numbers = {label: number for number, label in enumerate(sorted(set(labels)))}
    return [numbers[label] for label in labels], len(numbers)


def colour_counts(graphs: Sequence[Graph], rounds: int | None = None) -> list[tuple[tuple[int, int], ...]]:
    """Return for each graph how often it has each colour: equal if colour refinement cannot tell two graphs apart."""
    together = batch_graphs(graphs)
    counts = [Counter[int]() for _ in graphs]
    for number, colour in zip(together.batch.tolist(), colour_refinement(together, rounds).tolist(), strict=True):
        counts[number][colour] += 1
    return [tuple(sorted(count.items())) for count in counts]


def permitted(graphs: Sequence[Graph], labels: Sequence[int], rounds: int | None = None) -> float:
    """Return the greatest accuracy on these graphs of any function of their colours: message passing's optimum.

    Graphs with equal colours get equal answers, at best that of most of them.
    """
    labels_by_colours: dict[Any, Counter[int]] = defaultdict(Counter)
    for colours, label in zip(colour_counts(graphs, rounds), labels, strict=True):
        labels_by_colours[colours][label] += 1
    return sum(max(alike.values()) for alike in labels_by_colours.values()) / len(labels)
