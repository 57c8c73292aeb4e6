"""A memory for each node, written by messages: that of temporal graph networks (Rossi et al. 2020, section 3.1).

A message from i to j at time t makes for both ends a row [own memory, memory of the other, what is sent, code of the
time since the own last update]; a GRU writes it into the memory. Of several rows in one batch the last is kept.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from downstream.streams import check_times


class TimeCode(nn.Module):
    """cos(w t + b): a time difference as several numbers, w and b learned."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(1, features)

    def forward(self, elapsed: Float[Tensor, " rows"]) -> Float[Tensor, "rows features"]:
        return self.linear(elapsed[:, None]).cos()


class NodeMemory(nn.Module):
    """Memories of all nodes. Rows wait until their node is needed again, so that gradients reach what made them.

    In training a row is written when the node's next message comes, and until then whenever the node is read. In
    evaluation it is written at once.

    Args:
        num_nodes: how many nodes there are.
        sent_features: numbers that a message carries.
        features: numbers of a memory.
        time_features: numbers of the code of a time difference.
    """

    memory: Tensor
    last_update: Tensor

    def __init__(self, num_nodes: int, sent_features: int, features: int, time_features: int) -> None:
        super().__init__()
        self.num_nodes, self.sent_features = num_nodes, sent_features
        self.time_code = TimeCode(time_features)
        self.gru = nn.GRUCell(2 * features + sent_features + time_features, features)
        self.register_buffer("memory", torch.zeros(num_nodes, features))
        self.register_buffer("last_update", torch.zeros(num_nodes, dtype=torch.long))
        self.reset()

    def reset(self) -> None:
        """Forget all messages."""
        self.memory, self.last_update = torch.zeros_like(self.memory), torch.zeros_like(self.last_update)
        self.waiting = torch.zeros(self.num_nodes, dtype=torch.bool)
        self.other = torch.zeros(self.num_nodes, dtype=torch.long)
        self.when = torch.zeros(self.num_nodes, dtype=torch.long)
        self.sent = torch.zeros(self.num_nodes, self.sent_features)
        self.latest: int | None = None

    def forward(self, nodes: Int[Tensor, " nodes"]) -> tuple[Float[Tensor, "nodes features"], Int[Tensor, " nodes"]]:
        """Return memories, waiting rows written into them, and when each was last updated."""
        own, updated = self.memory[nodes], self.last_update[nodes]
        waits = self.waiting[nodes]
        rows = nodes[waits]
        elapsed = (self.when[rows] - self.last_update[rows]).to(own.dtype)
        parts = [self.memory[rows], self.memory[self.other[rows]], self.sent[rows], self.time_code(elapsed)]
        written = self.gru(torch.cat(parts, dim=1), self.memory[rows])
        return own.masked_scatter(waits[:, None], written), torch.where(waits, self.when[nodes], updated)

    def write(self, nodes: Int[Tensor, " nodes"]) -> None:
        """Write waiting rows of these nodes into their memories; they carry no gradient from here on."""
        with torch.no_grad():
            state, updated = self(nodes)
        # New tensors: the old ones may be part of a graph that is still to be walked back.
        self.memory = self.memory.index_copy(0, nodes, state)
        self.last_update = self.last_update.index_copy(0, nodes, updated)
        self.waiting[nodes] = False

    def update(
        self,
        source: Int[Tensor, " messages"],
        target: Int[Tensor, " messages"],
        time: Int[Tensor, " messages"],
        sent: Float[Tensor, "messages sent"],
    ) -> None:
        """Learn a batch of messages, after it was scored.

        Raises:
            ValueError: times go back, within the batch or behind what was learned.
        """
        check_times(time, self.latest)
        nodes = torch.cat([source, target]).unique()
        if self.training:
            self.write(nodes)
        # Ends of messages in the order of the stream: 0 -> source of the first, 1 -> its target, and so on.
        own = torch.stack([source, target], dim=1).flatten()
        other = torch.stack([target, source], dim=1).flatten()
        last = torch.zeros(self.num_nodes, dtype=torch.long)
        # With equal times the later message of the stream is the last one.
        last.scatter_reduce_(0, own, torch.arange(len(own)), "amax", include_self=False)
        end = last[nodes]
        self.waiting[nodes] = True
        self.other = self.other.index_copy(0, nodes, other[end])
        self.when = self.when.index_copy(0, nodes, time[end // 2])
        self.sent = self.sent.index_copy(0, nodes, sent[end // 2])
        if not self.training:
            self.write(nodes)
        if len(time):
            self.latest = int(time[-1])

    def train(self, mode: bool = True) -> "NodeMemory":
        """Change between training and evaluation; what waits is written before an evaluation."""
        if self.training and not mode:
            self.write(torch.arange(self.num_nodes))
        return super().train(mode)
