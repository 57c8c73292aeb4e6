"""How good scores of pairs are: the area under the ROC curve and hits, and the pairs they are measured on."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.graph.graphs import Graph

Pairs = Int[Tensor, "pairs 2"]


class HiddenEdges(NamedTuple):
    """A graph from which edges were taken, and those edges."""

    graph: Graph  # what is left
    hidden: Pairs  # each once


def auc(right: Float[Tensor, "right"], wrong: Float[Tensor, "wrong"]) -> float:
    """Return how often a right pair scores above a wrong one, of all such couples; a tie counts one half."""
    order = torch.cat([right, wrong]).double()
    _, place, counts = order.unique(return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0) - counts + (counts + 1) / 2)[place]  # mean rank of equal scores, from 1
    total = ranks[: len(right)].sum().item() - len(right) * (len(right) + 1) / 2
    return total / (len(right) * len(wrong))


def hits_at(right: Float[Tensor, "right"], wrong: Float[Tensor, "wrong"], count: int) -> float:
    """Return the share of right pairs that score above the `count`-th best wrong one (Hu et al. 2020, OGB).

    Raises:
        ValueError: there are fewer wrong pairs than that: every right pair would be a hit.
    """
    if not 1 <= count <= len(wrong):
        raise ValueError(
            f"Hits@{count} needs at least {count} wrong pairs, or every right pair is a hit; got {len(wrong)}"
        )
    return (right > wrong.topk(count).values[-1]).double().mean().item()


def undirected_pairs(graph: Graph) -> Pairs:
    """Return each edge of an undirected graph once, the smaller node first."""
    first, second = graph.edge_index
    return torch.stack([first, second], dim=1)[first < second]


def hide_edges(graph: Graph, share: float, generator: torch.Generator) -> HiddenEdges:
    """Take edges out, both directions of each.

    Args:
        graph: undirected, without loops.
        share: of the edges.
        generator: draws which.

    Raises:
        ValueError: no edge would be hidden, or none left.
    """
    pairs = undirected_pairs(graph)
    count = round(share * len(pairs))
    if not 0 < count < len(pairs):
        raise ValueError(f"of {len(pairs)} edges some must be hidden and some left; a share of {share} hides {count}")
    order = torch.randperm(len(pairs), generator=generator)
    return HiddenEdges(Graph.undirected(pairs[order[count:]], graph.num_nodes), pairs[order[:count]])


def draw_unlinked(graph: Graph, count: int, generator: torch.Generator) -> Pairs:
    """Draw pairs that are not linked, each once, all equally likely: the usual wrong pairs.

    Args:
        graph: *all* edges, the hidden ones too: or a hidden edge could be drawn as a wrong pair.
        count: how many.
        generator: draws them.

    Raises:
        ValueError: there are not so many.
    """
    nodes = graph.num_nodes
    free = nodes * (nodes - 1) // 2 - len(undirected_pairs(graph))
    if count > free:
        raise ValueError(f"only {free} pairs of these {nodes} nodes are not linked; {count} were asked for")
    taken = {first * nodes + second for first, second in undirected_pairs(graph).tolist()}
    found: list[tuple[int, int]] = []
    while len(found) < count:
        for one, other in torch.randint(nodes, (2 * count, 2), generator=generator).tolist():
            first, second = min(one, other), max(one, other)
            if first != second and first * nodes + second not in taken and len(found) < count:
                taken.add(first * nodes + second)
                found.append((first, second))
    return torch.tensor(found)
