"""GraphSAGE that is trained (Hamilton et al. 2017): what a node needs, by its words and by what it needs already.

An edge carries a message from what is needed to what needs it. A node asks with one vector and offers with another, and
a link from p to q is as likely as asks(p) and offers(q) are alike. Theory: notes/12_vectors_of_neighbours.md
"""

import zlib
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.layers import SAGELayer
from shared.training.keep_best import KeepBest

Links = Int[Tensor, "2 links"]  # who needs above what is needed
TEMPERATURE = 0.1  # cosines are divided by it


def hashed_words(texts: Sequence[str], features: int) -> Float[Tensor, "texts {features}"]:
    """Return texts as vectors of length 1: each word counts up or down at a place that its checksum names.

    Two words at one place mostly do not add up, because the sign is drawn too (Weinberger et al. 2009). No list of
    words is kept, so a word of a later text is no trouble.

    Raises:
        ValueError: no feature.
    """
    if features < 1:
        raise ValueError(f"words need at least one place to be counted at, got {features} features")
    rows = torch.zeros(len(texts), features)
    for row, text in zip(rows, texts, strict=True):
        for word in set(text.lower().split()):
            number = zlib.crc32(word.encode())
            row[(number >> 1) % features] += 1 - 2 * (number & 1)
    return functional.normalize(rows, dim=1)


def message_graph(needs: Links, num_nodes: int) -> Graph:
    """Return the graph in which messages flow: from what is needed to what needs it."""
    return Graph(needs.flip(0), num_nodes)


class LinkSAGE(nn.Module):
    """Vectors of nodes by their features and those of what they need, so many links deep.

    Args:
        in_features: numbers that describe a node.
        width: numbers of a vector.
        layers: how many links a message travels; 0: each node for itself.
    """

    def __init__(self, in_features: int, width: int, layers: int) -> None:
        super().__init__()
        self.first = nn.Linear(in_features, width)
        self.layers = nn.ModuleList(SAGELayer(width, width) for _ in range(layers))
        self.asking = nn.Linear(width, width, bias=False)
        self.offering = nn.Linear(width, width, bias=False)
        # At first, who has similar words and needs is taken for needed; training tells the two apart.
        self.offering.weight.data.copy_(self.asking.weight.data)

    def step(self, number: int, states: Float[Tensor, "nodes width"], graph: Graph) -> Float[Tensor, "nodes width"]:
        """Return the states behind layer `number` of those before it."""
        return states + functional.relu(self.layers[number](states, graph))

    def forward(self, features: Float[Tensor, "nodes in"], graph: Graph) -> Float[Tensor, "nodes width"]:
        """Return the states of all nodes behind the last layer."""
        states = functional.relu(self.first(features))
        for number in range(len(self.layers)):
            states = self.step(number, states, graph)
        return states

    def asks(self, states: Float[Tensor, "nodes width"]) -> Float[Tensor, "nodes width"]:
        """Return what nodes look for: vectors of length 1."""
        return functional.normalize(self.asking(states), dim=1)

    def offers(self, states: Float[Tensor, "nodes width"]) -> Float[Tensor, "nodes width"]:
        """Return what nodes can be found by: vectors of length 1, which an index holds."""
        return functional.normalize(self.offering(states), dim=1)


def link_loss(
    asks: Float[Tensor, "links width"], offers: Float[Tensor, "links width"], wrong: Bool[Tensor, "links links"]
) -> Tensor:
    """Return the mean loss of links, each against what the other links of the batch need.

    -log softmax(asks_i . offers_j / temperature) at j = i, over j = i and all j that are wrong for i. What many need
    stands often among the others, so being popular alone wins nothing.

    Args:
        asks: of those who need.
        offers: of what they need; row i belongs to row i of `asks`.
        wrong: [i, j] True where i does not need what j needs.
    """
    counted = wrong | torch.eye(len(asks), dtype=torch.bool)
    scores = (asks @ offers.mT / TEMPERATURE).masked_fill(~counted, -torch.inf)
    return functional.cross_entropy(scores, torch.arange(len(asks)))


class LinkBatches:
    """Draws links to be predicted, and takes them out of the graph that the messages take.

    A link that stays in says its own answer: who needs q hears q.

    Args:
        needs: all links that may be seen.
        num_nodes: how many nodes there are.
        size: links of a batch.
    """

    def __init__(self, needs: Links, num_nodes: int, size: int) -> None:
        self.needs, self.num_nodes, self.size = needs, num_nodes, min(size, needs.shape[1])
        self.codes = (needs[0] * num_nodes + needs[1]).sort().values

    def draw(self, generator: torch.Generator) -> tuple[Links, Graph, Bool[Tensor, "links links"]]:
        """Return the links of a batch, the graph without them, and which of them are wrong for which."""
        order = torch.randperm(self.needs.shape[1], generator=generator)
        hidden, kept = self.needs[:, order[: self.size]], self.needs[:, order[self.size :]]
        codes = hidden[0][:, None] * self.num_nodes + hidden[1]
        found = torch.searchsorted(self.codes, codes).clamp(max=len(self.codes) - 1)
        wrong = (self.codes[found] != codes) & (hidden[0][:, None] != hidden[1])
        return hidden, message_graph(kept, self.num_nodes), wrong


def train(
    model: LinkSAGE,
    features: Float[Tensor, "nodes in"],
    needs: Links,
    *,
    steps: int,
    learning_rate: float,
    generator: torch.Generator,
    size: int = 512,
    every: int = 30,
    validate: Callable[[LinkSAGE], float] | None = None,
) -> list[float]:
    """Train a model on links, in place, and return the loss of each step.

    Args:
        model: what is trained.
        features: of all nodes.
        needs: links that may be seen.
        steps: at most so many steps of AdamW.
        learning_rate: of AdamW.
        generator: draws the links that are to be predicted.
        size: links of a step.
        every: steps from one validation to the next.
        validate: more is better. The weights of the best validation are those that the model has in the end.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    batches, losses, best = LinkBatches(needs, len(features), size), [], KeepBest(model)
    for step in range(1, steps + 1):
        hidden, graph, wrong = batches.draw(generator)
        states = model.train()(features, graph)
        loss = link_loss(model.asks(states[hidden[0]]), model.offers(states[hidden[1]]), wrong)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if validate is not None and (step % every == 0 or step == steps):
            best.update(-validate(model), step)
    if validate is not None:
        best.restore()
    return losses
