"""The latest partners of each node: who, and when. What attention of temporal graph networks looks at.

Rossi et al. 2020, section 3.1 (temporal graph attention), take some of the most recent neighbours.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from downstream.memory import TimeCode


class RecentPartners:
    """For each node its latest partners, in places that are used in turn.

    Args:
        num_nodes: how many nodes there are.
        size: how many partners are kept of each.
    """

    def __init__(self, num_nodes: int, size: int) -> None:
        self.size = size
        self.partner = torch.full((num_nodes, size), -1)
        self.time = torch.zeros(num_nodes, size, dtype=torch.long)
        self.count = torch.zeros(num_nodes, dtype=torch.long)

    def update(
        self, source: Int[Tensor, " messages"], target: Int[Tensor, " messages"], time: Int[Tensor, " messages"]
    ) -> None:
        """Add messages to both of their ends, in the order of the stream."""
        own = torch.stack([source, target], dim=1).flatten()
        other = torch.stack([target, source], dim=1).flatten()
        order = own.argsort(stable=True)
        own, other, when = own[order], other[order], time.repeat_interleave(2)[order]
        nodes, numbers, counts = own.unique_consecutive(return_inverse=True, return_counts=True)
        turn = torch.arange(len(own)) - (counts.cumsum(0) - counts)[numbers]
        # Of more than there are places for, only the last are written: no place is written twice.
        kept = turn >= counts[numbers] - self.size
        place = (self.count[own] + turn) % self.size
        self.partner[own[kept], place[kept]] = other[kept]
        self.time[own[kept], place[kept]] = when[kept]
        self.count[nodes] += counts

    def later(self, nodes: Int[Tensor, " nodes"]) -> Int[Tensor, "nodes partners"]:
        """Return how many partners came after the one in each place: 0 for the latest."""
        return (self.count[nodes][:, None] - 1 - torch.arange(self.size)) % self.size


class PartnerAttention(nn.Module):
    """Several weighted sums of the codes of a node's latest partners; age and order decide the weights.

    Args:
        features: numbers of a memory, which asks.
        heads: how many sums.
    """

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.time_code = TimeCode(8)
        self.key = nn.Linear(10, heads)
        self.query = nn.Linear(features, heads)

    def forward(
        self,
        state: Float[Tensor, "nodes features"],
        elapsed: Float[Tensor, "nodes partners"],
        later: Int[Tensor, "nodes partners"],
        there: Tensor,
        codes: Float[Tensor, "nodes partners numbers"],
    ) -> Float[Tensor, "nodes heads numbers"]:
        """Return the sums; zeros for a node without partners.

        Args:
            state: memories.
            elapsed: logarithm of the time since each partner.
            later: how many came after each.
            there: boolean (nodes, partners), False for an empty place.
            codes: of the partners.
        """
        coded = self.time_code(elapsed.flatten()).unflatten(0, elapsed.shape)
        place = torch.stack([elapsed, 1 / (1 + later)], dim=-1)
        asked = self.key(torch.cat([coded, place], dim=-1)) + self.query(state)[:, None]
        # Sigmoids, not a softmax: a partner who stands in several places counts as often, and none makes zero.
        weights = asked.sigmoid() * there[..., None]  # (nodes, partners, heads)
        return weights.mT @ codes
