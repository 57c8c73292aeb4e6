"""Networks that score pairs of nodes: an encoder makes a vector of each node, a decoder one number of two vectors.

Decoders, for vectors z of two nodes:

    dot product   z_i . z_j
    bilinear      z_i^T S z_j with a learned S = (W + W^T) / 2
    MLP           a small network that reads the products z_i * z_j, column by column (Hu et al. 2020, code of OGB)

All give the same score whichever node comes first. Theory: notes/04_encoders_and_decoders.md
"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from downstream.link_scores import Pairs, auc, draw_unlinked, undirected_pairs
from shared.graph.graphs import Graph
from shared.graph.layers import GATLayer, GCNLayer, SAGELayer

HEADS = 4


class LinkSplit(NamedTuple):
    """Edges that train, choose and test, wrong pairs for the last two, and the graph over which messages run."""

    graph: Graph  # training edges alone, both directions
    train: Pairs
    val: Pairs
    test: Pairs
    val_wrong: Pairs
    test_wrong: Pairs


def split_links(graph: Graph, val: float, test: float, times: int, generator: torch.Generator) -> LinkSplit:
    """Split the edges of a graph; an edge is in one part, with both directions.

    Args:
        graph: undirected, without loops.
        val, test: shares of the edges that choose and that test.
        times: wrong pairs for each right one; none of them is an edge of the whole graph, none stands twice.
        generator: draws everything.

    Raises:
        ValueError: a part would be empty.
    """
    pairs = undirected_pairs(graph)
    pairs = pairs[torch.randperm(len(pairs), generator=generator)]
    sizes = [round(share * len(pairs)) for share in (val, test)]
    if min(*sizes, len(pairs) - sum(sizes)) < 1:
        shares = f"{1 - val - test:.3g}, {val} and {test}"
        raise ValueError(f"each part needs an edge; {len(pairs)} edges in shares of {shares} leave one empty")
    chosen, tested, trained = pairs.split([*sizes, len(pairs) - sum(sizes)])
    wrong = draw_unlinked(graph, times * sum(sizes), generator).split([times * size for size in sizes])
    return LinkSplit(Graph.undirected(trained, graph.num_nodes), trained, chosen, tested, *wrong)


class NoEdges(nn.Linear):
    """A layer that reads a node alone: what the features are worth without the graph."""

    def forward(self, features: Tensor, graph: Graph) -> Tensor:  # noqa: ARG002  # ty: ignore[incompatible-method-override]
        """Return the new features."""
        return super().forward(features)


# Layers that take and return rows of one width.
ENCODERS: dict[str, Callable[[int], nn.Module]] = {
    "no edges": lambda width: NoEdges(width, width),
    "GCN": lambda width: GCNLayer(width, width),
    "SAGE": lambda width: SAGELayer(width, width),
    "GAT": lambda width: GATLayer(width, width // HEADS, HEADS),
}


class DotProduct(nn.Module):
    """The sum of products, column by column: nothing is learned."""

    def forward(self, one: Float[Tensor, "pairs width"], other: Float[Tensor, "pairs width"]) -> Float[Tensor, "pairs"]:
        """Return a score of each pair."""
        return (one * other).sum(dim=1)


class Bilinear(nn.Module):
    """A learned symmetric matrix between both vectors; it begins at random, not as the dot product."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, width))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, one: Float[Tensor, "pairs width"], other: Float[Tensor, "pairs width"]) -> Float[Tensor, "pairs"]:
        """Return a score of each pair."""
        symmetric = (self.weight + self.weight.mT) / 2
        return ((one @ symmetric) * other).sum(dim=1)


class ProductMLP(nn.Module):
    """A network of two layers that reads the products of both vectors, column by column."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, one: Float[Tensor, "pairs width"], other: Float[Tensor, "pairs width"]) -> Float[Tensor, "pairs"]:
        """Return a score of each pair."""
        return self.last(self.first(one * other).relu())[:, 0]


DECODERS: dict[str, Callable[[int], nn.Module]] = {
    "dot product": lambda _: DotProduct(),
    "bilinear": Bilinear,
    "MLP": ProductMLP,
}


class LinkNetwork(nn.Module):
    """A matrix for the features, two layers of an encoder, and a decoder.

    Args:
        encoder: a key of ENCODERS.
        decoder: a key of DECODERS.
        in_features: of a node.
        width: of its vector; a multiple of 4 for GAT.
    """

    def __init__(self, encoder: str, decoder: str, in_features: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, width))
        nn.init.xavier_uniform_(self.weight)
        self.first, self.second = (ENCODERS[encoder](width) for _ in range(2))
        self.decoder = DECODERS[decoder](width)

    def forward(self, features: Tensor, graph: Graph, pairs: Pairs) -> Float[Tensor, "pairs"]:
        """Return a logit of each pair; features may be a sparse tensor, (nodes, in_features)."""
        vectors = self.first(features @ self.weight, graph).relu()
        vectors = self.second(vectors, graph)  # (nodes, width)
        return self.decoder(vectors[pairs[:, 0]], vectors[pairs[:, 1]])


def with_dropout(features: Tensor, probability: float) -> Tensor:
    """Return features of which some are dropped; a sparse tensor keeps its zeros."""
    if not features.is_sparse:
        return functional.dropout(features, probability)
    kept = functional.dropout(features.coalesce().values(), probability)
    return torch.sparse_coo_tensor(features.indices(), kept, features.shape, is_coalesced=True, check_invariants=False)


def fit_links(
    model: nn.Module, features: Tensor, split: LinkSplit, *, steps: int, rate: float, dropout: float,
    generator: torch.Generator, every: int = 5,
) -> float:  # fmt: skip
    """Train on training edges against as many pairs drawn anew in each step; keep the weights best on validation.

    Args:
        model: takes features, graph and pairs, returns logits.
        features: (nodes, features), dense or sparse.
        split: the edges.
        steps: of Adam, each on all training edges.
        rate: learning rate.
        dropout: probability that a feature of a node is dropped in training.
        generator: draws wrong pairs: two different nodes, all equally likely.
        every: steps between two looks at the validation edges.

    Returns:
        the AUC of the validation edges with the weights that are kept.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    targets = torch.cat([torch.ones(len(split.train)), torch.zeros(len(split.train))])
    best, kept, nodes = -1.0, copy.deepcopy(model.state_dict()), split.graph.num_nodes
    for step in range(1, steps + 1):
        one = torch.randint(nodes, (len(split.train),), generator=generator)
        shift = torch.randint(1, nodes, (len(split.train),), generator=generator)
        wrong = torch.stack([one, (one + shift) % nodes], dim=1)
        model.train()
        optimizer.zero_grad()
        logits = model(with_dropout(features, dropout), split.graph, torch.cat([split.train, wrong]))
        functional.binary_cross_entropy_with_logits(logits, targets).backward()
        optimizer.step()
        if step % every == 0 or step == steps:
            value = auc(*scored(model, features, split.graph, split.val, split.val_wrong))
            if value > best:
                best, kept = value, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    model.eval()
    return best


@torch.no_grad()
def scored(
    model: nn.Module, features: Tensor, graph: Graph, right: Int[Tensor, "right 2"], wrong: Int[Tensor, "wrong 2"]
) -> tuple[Float[Tensor, "right"], Float[Tensor, "wrong"]]:
    """Return the scores of right and of wrong pairs."""
    model.eval()
    scores = model(features, graph, torch.cat([right, wrong]))
    return scores[: len(right)], scores[len(right) :]
