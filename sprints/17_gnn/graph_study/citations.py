"""Citations of papers with words, drawn so that the best that can be done with them is known.

The graph is a block model (shared/graph/block_models.py). Theory: notes/04_papers_that_cite.md
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from shared.graph.block_models import Rates, belief_propagation, block_model, label_evidence, rates_of, split
from shared.graph.node_data import NodeData


class CitationNetwork(NamedTuple):
    """A citation network of which the truth is known."""

    data: NodeData
    rates: Rates
    # (num_nodes, num_classes): log-probability of a paper's words by subject, up to a constant.
    word_evidence: Tensor


def draw_citations(generator: torch.Generator, num_nodes: int = 1640, signal: float = 1.2) -> CitationNetwork:
    """Return papers with words and citations, much like Cora: 7 subjects, 4 neighbours, 18 of 700 words each.

    A seventh of the vocabulary belongs to each subject. A word of a paper is with probability 0.27 one of its
    subject's, else any word. 20 papers of each subject train, 500 choose, 1,000 are the test.
    """
    num_classes, vocabulary, length, topical = 7, 700, 18, 0.27
    rates = rates_of(4.0, signal, num_classes)
    graph, labels = block_model(num_nodes, rates, generator)
    own = torch.randint(vocabulary // num_classes, (num_nodes, length), generator=generator)
    own = own * num_classes + labels[:, None]
    anything = torch.randint(vocabulary, (num_nodes, length), generator=generator)
    words = torch.where(torch.rand(num_nodes, length, generator=generator) < topical, own, anything)
    rows = torch.zeros(num_nodes, vocabulary).index_put(
        (torch.arange(num_nodes)[:, None].expand_as(words), words), torch.tensor(1 / length), accumulate=True
    )
    # A word of the own subject is (1 - topical + 7 topical) / (1 - topical) times as probable as any other.
    matching = functional.one_hot(words % num_classes, num_classes).sum(dim=1)  # (num_nodes, num_classes)
    evidence = matching * math.log(1 + num_classes * topical / (1 - topical))
    masks = split(labels, 20, 500, generator)
    return CitationNetwork(NodeData(graph, rows.to_sparse(), labels, num_classes, *masks), rates, evidence)


def optimum(network: CitationNetwork, generator: torch.Generator) -> Tensor:
    """Return the probability of each subject at each paper, given all edges, all words and the training labels."""
    data = network.data
    evidence = network.word_evidence + label_evidence(data.labels, data.train_mask, data.num_classes)
    return belief_propagation(data.graph, network.rates, evidence, generator)
