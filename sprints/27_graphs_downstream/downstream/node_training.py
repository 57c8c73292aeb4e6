"""Networks that read the words of a node, its neighbours, or both, and their training on the labels of some nodes."""

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.layers import SAGELayer
from shared.graph.message_passing import scatter_mean


class Nodes(NamedTuple):
    """Nodes of a graph, what they have, what they are, and which of them train, choose and test."""

    features: Float[Tensor, "nodes features"]
    graph: Graph
    labels: Int[Tensor, "nodes"]
    train: Bool[Tensor, "nodes"]
    val: Bool[Tensor, "nodes"]
    test: Bool[Tensor, "nodes"]


class WordsOnly(nn.Module):
    """A network of two layers that reads a node and not its neighbours: the baseline of everything with edges."""

    def __init__(self, in_features: int, hidden: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(in_features, hidden), nn.Linear(hidden, num_classes)
        self.dropout = dropout

    def forward(self, features: Float[Tensor, "nodes in"], graph: Graph) -> Float[Tensor, "nodes classes"]:  # noqa: ARG002 (as of the other one)
        """Return logits."""
        dropped = functional.dropout(features, self.dropout, self.training)
        return self.last(functional.dropout(self.first(dropped).relu(), self.dropout, self.training))


class BothWays(nn.Module):
    """GraphSAGE with a matrix for each direction: whom a node needs, and who needs it, are two different things."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.own = nn.Linear(in_features, out_features)
        self.needed, self.needing = (nn.Linear(in_features, out_features, bias=False) for _ in range(2))

    def forward(self, features: Float[Tensor, "nodes in"], graph: Graph) -> Float[Tensor, "nodes out"]:
        """Return new features; edges go from who needs to what is needed."""
        (needing, needed), count = graph.edge_index, graph.num_nodes
        from_needed = scatter_mean(features[needed], needing, count)
        from_needing = scatter_mean(features[needing], needed, count)
        return self.own(features) + self.needed(from_needed) + self.needing(from_needing)


class WordsAndNeighbours(nn.Module):
    """A layer that reads a node, then layers that read a node and the mean of its neighbours.

    Args:
        in_features: of a node.
        hidden: features between the layers.
        num_classes: logits of a node.
        dropout: probability that a feature is dropped, in training.
        depth: layers with neighbours.
        directed: whether both directions of an edge have matrices of their own.
    """

    def __init__(
        self, in_features: int, hidden: int, num_classes: int, dropout: float, depth: int = 2, directed: bool = False
    ) -> None:
        super().__init__()
        self.first, layer = nn.Linear(in_features, hidden), BothWays if directed else SAGELayer
        self.layers = nn.ModuleList(layer(*pair) for pair in pairwise([hidden] * depth + [num_classes]))
        self.dropout = dropout

    def forward(self, features: Float[Tensor, "nodes in"], graph: Graph) -> Float[Tensor, "nodes classes"]:
        """Return logits."""
        features = self.first(functional.dropout(features, self.dropout, self.training))
        for layer in self.layers:
            features = layer(functional.dropout(features.relu(), self.dropout, self.training), graph)
        return features


def with_labels(nodes: Nodes, shown: Bool[Tensor, "nodes"]) -> Float[Tensor, "nodes more"]:
    """Return the features with the labels of some nodes behind them, one column for each class; the others have 0s."""
    told = functional.one_hot(nodes.labels, int(nodes.labels.max()) + 1).float() * shown[:, None]
    return torch.cat([nodes.features, told], dim=1)


@torch.no_grad()
def share_right(model: nn.Module, nodes: Nodes, mask: Bool[Tensor, "nodes"], tell: bool) -> float:
    """Return the share of the masked nodes whose class has the largest logit; training labels may be told."""
    model.eval()
    logits = model(with_labels(nodes, nodes.train) if tell else nodes.features, nodes.graph)
    return (logits.argmax(dim=1) == nodes.labels)[mask].double().mean().item()


def fit(
    model: nn.Module, nodes: Nodes, *, steps: int, rate: float, decay: float, tell: bool = False, every: int = 5,
    generator: torch.Generator,
) -> float:  # fmt: skip
    """Train on the labels of training nodes with Adam, keep the weights that were best on validation nodes.

    Args:
        model: takes features and graph.
        nodes: the data.
        steps: of the optimizer, each over all training nodes.
        rate: learning rate.
        decay: weight decay (decoupled).
        tell: whether the model reads labels of training nodes as features. In each step half of them are shown, and the
            loss is that of the others: a node that sees its own label learns nothing else (Shi et al. 2021, *Masked
            label prediction*, section 3.2).
        every: steps between two looks at the validation nodes.
        generator: draws which labels are shown.

    Returns:
        the share of validation nodes that was right then; the model has those weights, in evaluation mode.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    best, kept = -1.0, copy.deepcopy(model.state_dict())
    for step in range(1, steps + 1):
        model.train()
        optimizer.zero_grad()
        features, asked = nodes.features, nodes.train
        if tell:
            shown = nodes.train & (torch.rand(len(nodes.labels), generator=generator) < 0.5)
            features, asked = with_labels(nodes, shown), nodes.train & ~shown
        functional.cross_entropy(model(features, nodes.graph)[asked], nodes.labels[asked]).backward()
        optimizer.step()
        if step % every == 0 or step == steps:
            right = share_right(model, nodes, nodes.val, tell)
            if right > best:
                best, kept = right, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    model.eval()
    return best


def search_and_fit(
    make: Callable[[], nn.Module], nodes: Nodes, seed: int, *, steps: int, rates: Sequence[float],
    decays: Sequence[float], tell: bool = False,
) -> tuple[float, tuple[float, float]]:  # fmt: skip
    """Train at every pair of settings, and return the share of test nodes right at the pair best on validation.

    Args:
        make: makes an untrained model; each starts from the seed.
        nodes: the data.
        seed: of the start and the dropout.
        steps: of each training.
        rates: learning rates.
        decays: weight decays.
        tell: whether the model reads labels of training nodes, as in `fit`.
    """
    found = []
    for rate in rates:
        for decay in decays:
            torch.manual_seed(seed)
            model = make()
            generator = torch.Generator().manual_seed(seed)
            validated = fit(model, nodes, steps=steps, rate=rate, decay=decay, tell=tell, generator=generator)
            found.append((validated, share_right(model, nodes, nodes.test, tell), (rate, decay)))
    _, tested, pair = max(found, key=lambda one: one[0])
    return tested, pair
