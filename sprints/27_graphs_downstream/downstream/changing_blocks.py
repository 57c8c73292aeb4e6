"""Groups that change: a block model at each of several times, and the best that can be done with all of them.

From one time to the next a node keeps its group with probability `memory`, else it draws any of the q groups. At each
time the edges are drawn anew. With a signal lambda as in `shared/graph/block_models.py`, groups can be found, if there
are many times, where

    lambda^2 > (1 - memory^2) / (1 + memory^2)        (Ghasemian et al. 2016, equation 3)

Theory: notes/09_communities_that_change.md
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.graph.block_models import Rates
from shared.graph.graphs import Graph, adjacency_matrix
from shared.graph.message_passing import scatter_sum


def threshold(memory: float) -> float:
    """Return the signal above which groups can be found, of many large graphs; 1 without memory, 0 with a whole one.

    Raises:
        ValueError: a memory that is no probability.
    """
    if not 0 <= memory <= 1:
        raise ValueError(f"memory is the probability that a node keeps its group, from 0 to 1; got {memory:g}")
    return math.sqrt((1 - memory**2) / (1 + memory**2))


def graph_of_groups(groups: Int[Tensor, " nodes"], affinity: Tensor, generator: torch.Generator) -> Graph:
    """Return a graph whose nodes are joined with probability affinity[group, group'] / nodes."""
    count = len(groups)
    drawn = torch.rand(count, count, generator=generator) < affinity[groups][:, groups] / count
    return Graph.undirected(drawn.triu(1).nonzero(), count)


def moved_on(groups: Tensor, memory: float, num_classes: int, generator: torch.Generator) -> Tensor:
    """Return the groups one time later."""
    kept = torch.rand(len(groups), generator=generator) < memory
    return torch.where(kept, groups, torch.randint(num_classes, (len(groups),), generator=generator))


def changing_blocks(
    num_nodes: int, times: int, rates: Rates, memory: float, generator: torch.Generator
) -> tuple[list[Graph], Int[Tensor, "times num_nodes"]]:
    """Return a graph for each time, and the groups of the nodes at each time."""
    groups = [torch.randint(rates.num_classes, (num_nodes,), generator=generator)]
    for _ in range(times - 1):
        groups.append(moved_on(groups[-1], memory, rates.num_classes, generator))
    return [graph_of_groups(now, rates.affinity(), generator) for now in groups], torch.stack(groups)


def beliefs_through_time(
    graphs: Sequence[Graph],
    rates: Rates,
    memory: float,
    generator: torch.Generator,
    *,
    evidence: Tensor | None = None,
    rounds: int = 100,
    balanced: bool = True,
) -> Float[Tensor, "times num_nodes num_classes"]:
    """Return the probability of each group at each node and time, by messages along edges and along time.

    A node at a time is one node of a large graph. It is joined with its neighbours of that time, and with itself one
    time before and after. A message says what its sender would believe without its receiver (Ghasemian et al. 2016,
    section III); on a tree this is exact.

    Args:
        graphs: of each time, undirected, on the same nodes.
        rates: of the model that made them.
        memory: of the nodes, from 0 to 1.
        generator: draws the first messages.
        evidence: (times, num_nodes, num_classes), log-probabilities of what is known of each node (default: nothing).
        rounds: how often every message is sent.
        balanced: whether the groups of a time are known to be about equal in size.
    """
    times, num_nodes, num_classes = len(graphs), graphs[0].num_nodes, rates.num_classes
    pairs = torch.cat([graph.edge_index + time * num_nodes for time, graph in enumerate(graphs)], dim=1)
    now = torch.arange((times - 1) * num_nodes)
    forward, back = torch.stack([now, now + num_nodes]), torch.stack([now + num_nodes, now])
    source, target = edges = torch.cat([pairs, forward, back], dim=1)
    along_time = torch.arange(edges.shape[1]) >= pairs.shape[1]
    # Every edge is there in both directions: its reverse has the same two ends the other way round.
    order, size = (source * times * num_nodes + target).argsort(), times * num_nodes
    reverse = torch.empty_like(order)
    reverse[order] = (target * size + source).argsort()

    affinity = rates.affinity()
    kept = memory * torch.eye(num_classes, dtype=torch.double) + (1 - memory) / num_classes
    messages = torch.rand(edges.shape[1], num_classes, generator=generator, dtype=torch.double)
    messages /= messages.sum(dim=1, keepdim=True)
    beliefs = messages.new_zeros(times, num_nodes, num_classes)
    field = messages.new_zeros(times, 1, num_classes)
    known = torch.zeros_like(beliefs) if evidence is None else evidence.double()
    for _ in range(rounds):
        heard = torch.where(along_time[:, None], messages @ kept, messages @ affinity).clamp(min=1e-300).log()
        arrived = scatter_sum(heard, target, size).unflatten(0, (times, num_nodes)) + known
        beliefs = (arrived + field).softmax(dim=2)
        # The pairs of a time that are not joined say together that no group is larger than the others.
        for _ in range(3 if balanced else 0):
            field = field - (num_classes * beliefs.mean(dim=1, keepdim=True)).clamp(min=1e-12).log()
            beliefs = (arrived + field).softmax(dim=2)
        fresh = ((arrived + field).flatten(0, 1)[source] - heard[reverse]).softmax(dim=1)
        messages = 0.5 * messages + 0.5 * fresh
    return beliefs


def smoothed(graphs: Sequence[Graph], time: int, memory: float) -> Float[Tensor, "num_nodes num_nodes"]:
    """Return the sum of all adjacency matrices, each times memory ** (how far its time is away): a simple smoother."""
    return sum(memory ** abs(time - other) * adjacency_matrix(graph) for other, graph in enumerate(graphs))  # ty: ignore[invalid-explicit-return]


def regularised_vector(adjacency: Float[Tensor, "nodes nodes"]) -> Float[Tensor, " nodes"]:
    """Return the second eigenvector of D^-1/2 A D^-1/2, D the degrees and their mean (Amini et al. 2013)."""
    degrees = adjacency.sum(dim=1)
    root = (degrees + degrees.mean()).rsqrt()
    return torch.linalg.eigh(root[:, None] * adjacency * root).eigenvectors[:, -2]
