"""Graphs whose groups are known: the stochastic block model, and the best that can be done.

Nodes of one group are joined with probability c_in / n, others with c_out / n. The signal is

    lambda = (c_in - c_out) / (q sqrt(c)),  c = (c_in + (q - 1) c_out) / q, the mean degree, and q groups of equal size.

Without any label, two groups cannot be found at all where lambda^2 < 1 (Mossel et al. 2015), and above it belief
propagation is thought to find them as well as anything can in large graphs (Decelle et al. 2011, section III).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.message_passing import scatter_sum


class Rates(NamedTuple):
    """The mean number of neighbours that n nodes in the own group, or in another one, would be."""

    inside: float
    outside: float
    num_classes: int

    def affinity(self) -> Tensor:
        """Return the rates of every pair of groups: (num_classes, num_classes)."""
        same = torch.eye(self.num_classes, dtype=torch.float64)
        return self.outside + (self.inside - self.outside) * same


def rates_of(mean_degree: float, signal: float, num_classes: int) -> Rates:
    """Return the rates that have a mean degree and a signal (lambda).

    Raises:
        ValueError: a signal for which one of the rates is negative.
    """
    step = signal * math.sqrt(mean_degree)
    if not -mean_degree / (num_classes - 1) <= step <= mean_degree:
        most = math.sqrt(mean_degree)
        raise ValueError(
            f"with {mean_degree:g} neighbours a signal is at most {most:.2f} (then no edge joins two groups), and at "
            f"least {-most / (num_classes - 1):.2f} (then none stays inside); got {signal:g}"
        )
    return Rates(mean_degree + (num_classes - 1) * step, mean_degree - step, num_classes)


def block_model(num_nodes: int, rates: Rates, generator: torch.Generator) -> tuple[Graph, Tensor]:
    """Return a graph and the group of each node, (num_nodes), in random order."""
    groups = (torch.arange(num_nodes) % rates.num_classes)[torch.randperm(num_nodes, generator=generator)]
    probability = rates.affinity()[groups][:, groups] / num_nodes
    drawn = torch.rand(num_nodes, num_nodes, generator=generator) < probability
    return Graph.undirected(drawn.triu(1).nonzero(), num_nodes), groups


def belief_propagation(
    graph: Graph,
    rates: Rates,
    evidence: Tensor,
    generator: torch.Generator,
    *,
    rounds: int = 150,
    balanced: bool = True,
) -> Tensor:
    """Return the probability of each group at each node, given the edges and what is known: (num_nodes, num_classes).

    Messages again: along each edge goes what its source would believe without its target. On a tree this is exact, and
    a sparse random graph looks like a tree from any of its nodes (Decelle et al. 2011, equations 26 to 28).

    Args:
        graph: undirected, without loops.
        rates: of the model that made it.
        evidence: (num_nodes, num_classes), log-probabilities of what is known of each node, up to a constant: 0 where
            nothing is, minus infinity where a group is impossible.
        generator: draws the first messages.
        rounds: how often every message is sent.
        balanced: whether all groups are known to be of the same size.
    """
    (source, target), affinity = graph.edge_index, rates.affinity()
    # Every edge is there in both directions: its reverse has the same two ends the other way round.
    order = (source * graph.num_nodes + target).argsort()
    reverse = torch.empty_like(order)
    reverse[order] = (target * graph.num_nodes + source).argsort()
    messages = torch.rand(graph.num_edges, rates.num_classes, generator=generator, dtype=torch.float64)
    messages /= messages.sum(dim=1, keepdim=True)
    beliefs, field = messages.new_zeros(graph.num_nodes, rates.num_classes), messages.new_zeros(rates.num_classes)
    for _ in range(rounds):
        heard = (messages @ affinity).log()
        arrived = scatter_sum(heard, target, graph.num_nodes) + evidence.double()
        beliefs = arrived.softmax(dim=1)
        # The pairs without an edge say something as well, together: that no group has more nodes than another.
        for _ in range(5 if balanced else 0):
            beliefs = (arrived + field).softmax(dim=1)
            field = field - (rates.num_classes * beliefs.mean(dim=0)).clamp(min=1e-12).log()
        # Half of the old message stays: sent all at once, messages may swing back and forth.
        fresh = (arrived[source] - heard[reverse] + field).softmax(dim=1)
        messages = 0.5 * messages + 0.5 * fresh
    return beliefs


def label_evidence(labels: Tensor, known: Tensor, num_classes: int) -> Tensor:
    """Return what labels say, as `belief_propagation` takes it: nothing where they are not known."""
    impossible = functional.one_hot(labels, num_classes) == 0
    return torch.zeros(len(labels), num_classes).masked_fill(impossible & known[:, None], -math.inf)


def split(labels: Tensor, per_class: int, num_val: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return three masks, (num_nodes): so many nodes of every class train, some others choose, the rest is the test."""
    order = torch.randperm(len(labels), generator=generator)
    train_mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        train_mask[order[labels[order] == label][:per_class]] = True
    val_mask = torch.zeros_like(train_mask)
    val_mask[order[~train_mask[order]][:num_val]] = True
    return train_mask, val_mask, ~train_mask & ~val_mask
