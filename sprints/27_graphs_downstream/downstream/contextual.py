"""Graphs whose nodes have words: the contextual block model, and the best that edges, features and both can tell.

Two groups of equal size, v_i = +1 or -1. Edges follow a block model of signal lambda (shared/graph/block_models.py).
Features are Y_iq = sqrt(mu / n) v_i w_q + noise, with w_q and the noise drawn from N(0, 1), for p features of n nodes,
gamma = n / p. In large graphs both together find the groups if and only if lambda^2 + mu^2 / gamma > 1; each alone
needs its own term above 1 (Deshpande et al. 2018, *Contextual Stochastic Block Models*; proved for large degrees).
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.graph.block_models import Rates, block_model
from shared.graph.graphs import Graph
from shared.graph.message_passing import scatter_sum


class ContextualGraph(NamedTuple):
    """A graph, what its nodes have, and the group of each (0 or 1)."""

    graph: Graph
    features: Float[Tensor, "nodes features"]
    groups: Int[Tensor, "nodes"]


def contextual_block_model(
    num_nodes: int, num_features: int, rates: Rates, mu: float, generator: torch.Generator
) -> ContextualGraph:
    """Return a graph of two groups whose nodes have features.

    Args:
        num_nodes: n.
        num_features: p.
        rates: of the edges.
        mu: how much the features say, at least 0; with 0 they are noise.
        generator: draws everything.

    Raises:
        ValueError: not two groups, or a negative mu.
    """
    if rates.num_classes != 2 or mu < 0:
        raise ValueError(
            f"this model has two groups and features that say at least 0; got {rates.num_classes} groups and mu = {mu}"
        )
    graph, groups = block_model(num_nodes, rates, generator)
    direction = torch.randn(num_features, generator=generator)
    noise = torch.randn(num_nodes, num_features, generator=generator)
    return ContextualGraph(graph, math.sqrt(mu / num_nodes) * torch.outer(2.0 * groups - 1, direction) + noise, groups)


def hear_words(
    features: Float[Tensor, "nodes features"],
    spins: Float[Tensor, "nodes"],
    words: Float[Tensor, "features"],
    mu: float,
) -> tuple[Float[Tensor, "features"], Float[Tensor, "nodes"]]:
    """Return the direction that beliefs speak for, and what each node hears from it, each less its own echo.

    One round of approximate message passing (Deshpande et al. 2018, section 4): from each sum that part is taken off
    which what is estimated had put there itself, one round before.

    Args:
        features: Y.
        spins: the mean of v_i that each node believes in, from -1 to 1.
        words: the direction w of the round before.
        mu: how much the features say.
    """
    scale, variance = math.sqrt(mu / len(spins)), 1 / (1 + mu * (spins**2).mean())
    direction = variance * (scale * features.T @ spins - mu * (1 - spins**2).mean() * words)
    heard = scale * features @ direction - mu / len(spins) * variance * len(words) * spins
    return direction, heard


def belief_of_both(
    drawn: ContextualGraph,
    rates: Rates,
    mu: float,
    generator: torch.Generator,
    *,
    known: Tensor | None = None,
    rounds: int = 200,
) -> Float[Tensor, "nodes"]:
    """Return how much more likely than the other group 1 is at each node, as log-odds: the sign is the best guess.

    Belief propagation along the edges, and for the features its dense form, approximate message passing: what a node
    hears from its features is computed from the belief of all nodes, less what came from this node itself. With labels
    these are the rounds of Duranthon & Zdeborova (2024). Without labels the groups can change names: compare both.

    Args:
        drawn: the graph and its features; with mu = 0 the features are not looked at.
        rates: of the model that drew the edges; with equal rates the edges are not looked at.
        mu: of the model that drew the features.
        generator: draws the first beliefs.
        known: for each node whether its group is told (default: none).
        rounds: how often all messages are sent.
    """
    graph, features, groups = drawn
    features, num_nodes = features.double(), graph.num_nodes
    source, target = graph.edge_index
    order = (source * num_nodes + target).argsort()
    reverse = torch.empty_like(order)
    reverse[order] = (target * num_nodes + source).argsort()
    told = torch.zeros(num_nodes, dtype=torch.float64)
    if known is not None:
        told[known] = 1e3 * (2.0 * groups[known] - 1).double()  # as good as certain, and still a number
    joined = math.atanh((rates.inside - rates.outside) / (rates.inside + rates.outside))
    # An edge that is not there says a little, too; all of them together keep the groups equal in size.
    apart = (rates.inside - rates.outside) / num_nodes
    spins = 0.01 * torch.randn(num_nodes, generator=generator, dtype=torch.float64)
    messages, words = spins[source], torch.zeros(features.shape[1], dtype=torch.float64)
    odds = torch.zeros_like(spins)
    for _ in range(rounds):
        words, heard = hear_words(features, spins, words, mu)
        # Edges: half of the log-odds that travel along each.
        along = torch.atanh(math.tanh(joined) * messages.clamp(-1, 1))
        arrived = scatter_sum(along, target, num_nodes) - apart / 2 * num_nodes * messages.mean() + told
        field = arrived + heard
        messages = 0.5 * messages + 0.5 * torch.tanh(field[source] - along[reverse])
        spins = torch.tanh(field)
        odds = 2 * field
    return odds
