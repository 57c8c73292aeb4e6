"""Graphs whose groups are known: the stochastic block model, citations with words, and the best that can be done.

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

from graph_study.node_networks import NodeData
from shared.graph.graphs import Graph, scatter_sum


class Rates(NamedTuple):
    """The mean number of neighbours that n nodes in the own group, or in another one, would be."""

    inside: float
    outside: float
    classes: int

    def affinity(self) -> Tensor:
        """Return the rates of every pair of groups: (classes, classes)."""
        same = torch.eye(self.classes, dtype=torch.float64)
        return self.outside + (self.inside - self.outside) * same


def rates_of(degree: float, signal: float, classes: int) -> Rates:
    """Return the rates that have a mean degree and a signal (lambda).

    Raises:
        ValueError: a signal for which one of the rates is negative.
    """
    step = signal * math.sqrt(degree)
    if not -degree / (classes - 1) <= step <= degree:
        most = math.sqrt(degree)
        raise ValueError(
            f"with {degree:g} neighbours a signal is at most {most:.2f} (then no edge joins two groups), and at least "
            f"{-most / (classes - 1):.2f} (then none stays inside); got {signal:g}"
        )
    return Rates(degree + (classes - 1) * step, degree - step, classes)


def block_model(nodes: int, rates: Rates, generator: torch.Generator) -> tuple[Graph, Tensor]:
    """Return a graph and the group of each node, (nodes), in random order."""
    groups = (torch.arange(nodes) % rates.classes)[torch.randperm(nodes, generator=generator)]
    probability = rates.affinity()[groups][:, groups] / nodes
    drawn = torch.rand(nodes, nodes, generator=generator) < probability
    return Graph.undirected(drawn.triu(1).nonzero(), nodes), groups


def belief_propagation(
    graph: Graph,
    rates: Rates,
    evidence: Tensor,
    generator: torch.Generator,
    *,
    rounds: int = 150,
    balanced: bool = True,
) -> Tensor:
    """Return the probability of each group at each node, given the edges and what is known of nodes: (nodes, classes).

    Messages again: along each edge goes what its source would believe without its target. On a tree this is exact, and
    a sparse random graph looks like a tree from any of its nodes (Decelle et al. 2011, equations 26 to 28).

    Args:
        graph: undirected, without loops.
        rates: of the model that made it.
        evidence: (nodes, classes), log-probabilities of what is known of each node, up to a constant: 0 where nothing
            is, minus infinity where a group is impossible.
        generator: draws the first messages.
        rounds: how often every message is sent.
        balanced: whether all groups are known to be of the same size.
    """
    count, affinity = graph.edges.shape[1], rates.affinity()
    # Every edge is there in both directions: its reverse has the same two ends the other way round.
    order = (graph.sources * graph.nodes + graph.targets).argsort()
    reverse = torch.empty_like(order)
    reverse[order] = (graph.targets * graph.nodes + graph.sources).argsort()
    messages = torch.rand(count, rates.classes, generator=generator, dtype=torch.float64)
    messages /= messages.sum(dim=1, keepdim=True)
    beliefs, field = messages.new_zeros(graph.nodes, rates.classes), messages.new_zeros(rates.classes)
    for _ in range(rounds):
        heard = (messages @ affinity).log()
        arrived = scatter_sum(heard, graph.targets, graph.nodes) + evidence.double()
        beliefs = arrived.softmax(dim=1)
        # The pairs without an edge say something as well, together: that no group has more nodes than another.
        for _ in range(5 if balanced else 0):
            beliefs = (arrived + field).softmax(dim=1)
            field = field - (rates.classes * beliefs.mean(dim=0)).clamp(min=1e-12).log()
        # Half of the old message stays: sent all at once, messages may swing back and forth.
        fresh = (arrived[graph.sources] - heard[reverse] + field).softmax(dim=1)
        messages = 0.5 * messages + 0.5 * fresh
    return beliefs


def label_evidence(labels: Tensor, known: Tensor, classes: int) -> Tensor:
    """Return what labels say, as `belief_propagation` takes it: nothing where they are not known."""
    impossible = functional.one_hot(labels, classes) == 0
    return torch.zeros(len(labels), classes).masked_fill(impossible & known[:, None], -math.inf)


def split(labels: Tensor, each: int, validation: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return truth values, (nodes): `each` nodes of every class train, some others choose, and the rest is the test."""
    order = torch.randperm(len(labels), generator=generator)
    train = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        train[order[labels[order] == label][:each]] = True
    choose = torch.zeros_like(train)
    choose[order[~train[order]][:validation]] = True
    return train, choose, ~train & ~choose


class Citations(NamedTuple):
    """A citation network of which the truth is known."""

    data: NodeData
    rates: Rates
    # (nodes, classes): log-probability of a paper's words by subject, up to a constant.
    word_evidence: Tensor


def citations(generator: torch.Generator, nodes: int = 1640, signal: float = 1.2) -> Citations:
    """Return papers with words and citations, much like Cora: 7 subjects, 4 neighbours, 18 of 700 words each.

    A seventh of the vocabulary belongs to each subject. A word of a paper is with probability 0.27 one of its
    subject's, else any word. 20 papers of each subject train, 500 choose, 1,000 are the test.
    """
    classes, vocabulary, length, topical = 7, 700, 18, 0.27
    rates = rates_of(4.0, signal, classes)
    graph, labels = block_model(nodes, rates, generator)
    own = torch.randint(vocabulary // classes, (nodes, length), generator=generator) * classes + labels[:, None]
    anything = torch.randint(vocabulary, (nodes, length), generator=generator)
    words = torch.where(torch.rand(nodes, length, generator=generator) < topical, own, anything)
    rows = torch.zeros(nodes, vocabulary).index_put(
        (torch.arange(nodes)[:, None].expand_as(words), words), torch.tensor(1 / length), accumulate=True
    )
    # A word of the own subject is (1 - topical + 7 topical) / (1 - topical) times as probable as any other.
    matching = functional.one_hot(words % classes, classes).sum(dim=1)  # (nodes, classes)
    evidence = matching * math.log(1 + classes * topical / (1 - topical))
    masks = split(labels, 20, 500, generator)
    return Citations(NodeData(graph, rows.to_sparse(), labels, classes, *masks), rates, evidence)


def optimum(network: Citations, generator: torch.Generator) -> Tensor:
    """Return the probability of each subject at each paper, given all edges, all words and the training labels."""
    data = network.data
    evidence = network.word_evidence + label_evidence(data.labels, data.train, data.classes)
    return belief_propagation(data.graph, network.rates, evidence, generator)
