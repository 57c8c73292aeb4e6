"""Networks that give every node of one graph a label, and their training: all nodes at once, some of them labelled."""

import copy
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph, check_features, scatter_sum
from shared.graph.layers import GATLayer, GCNLayer


class NodeData(NamedTuple):
    """A graph whose nodes have features and labels, and who may see which label."""

    graph: Graph
    features: Tensor  # (nodes, features), may be sparse
    labels: Tensor  # (nodes), from 0
    classes: int
    # Truth values, (nodes): whose labels train, choose between steps, and are scored once.
    train: Tensor
    validation: Tensor
    test: Tensor

    def to(self, device: torch.device) -> "NodeData":
        masks = (mask.to(device) for mask in (self.train, self.validation, self.test))
        return NodeData(self.graph.to(device), self.features.to(device), self.labels.to(device), self.classes, *masks)


def check_labels(nodes: Sequence[int] | Tensor, labels: Sequence[int] | Tensor, graph: Graph, classes: int) -> None:
    """Refuse labels that do not fit a graph.

    Raises:
        ValueError: a label for a node that does not exist, or a class that does not.
    """
    for node, label in zip(torch.as_tensor(nodes).tolist(), torch.as_tensor(labels).tolist(), strict=True):
        if not 0 <= node < graph.nodes:
            raise ValueError(f"labels must be for nodes from 0 to {graph.nodes - 1}; node {node} has the label {label}")
        if not 0 <= label < classes:
            raise ValueError(f"labels must be from 0 to {classes - 1}; node {node} has {label}")


class PerNode(nn.Linear):
    """A linear layer that looks at no edge: what a multi-layer perceptron is made of, and the head of a network."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, features: Tensor, graph: Graph) -> Tensor:  # noqa: ARG002 (the signature is that of layers)  # ty: ignore[incompatible-method-override]
        return features @ self.weight.T + self.bias


class NodeNetwork(nn.Module):
    """Layers one after the other, with dropout before each and an activation between them.

    Args:
        layers: each takes features and graph.
        activation: between two layers.
        dropout: probability that a feature is dropped, in training.
    """

    def __init__(self, layers: Sequence[nn.Module], activation: Callable[[Tensor], Tensor], dropout: float) -> None:
        super().__init__()
        self.layers, self.activation, self.dropout = nn.ModuleList(layers), activation, dropout

    def embed(self, features: Tensor, graph: Graph) -> Tensor:
        """Return what the last layer reads: (nodes, hidden)."""
        for layer in cast(list[nn.Module], self.layers[:-1]):
            features = self.activation(layer(self._drop(features), graph))
        return features

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return logits: (nodes, classes)."""
        return self.layers[-1](self._drop(self.embed(features, graph)), graph)

    def _drop(self, features: Tensor) -> Tensor:
        if not features.is_sparse:
            return functional.dropout(features, self.dropout, self.training)
        # What is 0 stays 0 when it is dropped, so only the rest needs random numbers: of Cora's features one in eighty.
        kept = functional.dropout(features.values(), self.dropout, self.training)
        return torch.sparse_coo_tensor(
            features.indices(), kept, features.shape, is_coalesced=True, check_invariants=False
        )


def gcn(features: int, classes: int, hidden: int = 16, depth: int = 2, dropout: float = 0.5) -> NodeNetwork:
    """Return the network of Kipf & Welling (2017, section 5.2), of any depth."""
    widths = [features, *[hidden] * (depth - 1), classes]
    return NodeNetwork([GCNLayer(*pair) for pair in pairwise(widths)], functional.relu, dropout)


def gat(features: int, classes: int, dropout: float = 0.6) -> NodeNetwork:
    """Return the network of Velickovic et al. (2018, section 3.3): 8 heads of 8, then one of the classes."""
    first = GATLayer(features, 8, heads=8, dropout=dropout)
    return NodeNetwork([first, GATLayer(64, classes, concatenate=False, dropout=dropout)], functional.elu, dropout)


def mlp(features: int, classes: int, hidden: int = 16, dropout: float = 0.5) -> NodeNetwork:
    """Return the same network as `gcn` without edges."""
    return NodeNetwork([PerNode(features, hidden), PerNode(hidden, classes)], functional.relu, dropout)


NETWORKS: dict[str, Callable[[int, int], NodeNetwork]] = {"GCN": gcn, "GAT": gat, "MLP": mlp}


def train_network(
    model: NodeNetwork, data: NodeData, *, steps: int, learning_rate: float, weight_decay: float, patience: int = 100
) -> Iterator[tuple[int, float, float]]:
    """Train on the labels of training nodes; yield step, training loss and validation accuracy after each.

    The model ends as it was when the validation nodes had both the highest accuracy and the lowest loss so far;
    training stops when neither got better for `patience` steps (the rule of Velickovic et al. 2018, section 3.3). All
    matrices decay.

    Raises:
        ValueError: features or labels that do not fit the graph, or no labelled node to train on or to choose by.
    """
    if not data.features.is_sparse:
        check_features(data.features, data.graph)
    check_labels(torch.arange(len(data.labels)), data.labels, data.graph, data.classes)
    if not data.train.any() or not data.validation.any():
        raise ValueError("training needs labelled nodes to train on, and others to choose a step by; one is empty")
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    rest = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": rest}]
    optimizer = torch.optim.Adam(groups, lr=learning_rate)
    lowest, highest, since, kept = float("inf"), 0.0, 0, copy.deepcopy(model.state_dict())
    for step in range(1, steps + 1):
        model.train()
        optimizer.zero_grad()
        logits = model(data.features, data.graph)
        loss = functional.cross_entropy(logits[data.train], data.labels[data.train])
        loss.backward()
        optimizer.step()
        found = scores(model, data)
        chosen = functional.cross_entropy(found[data.validation], data.labels[data.validation]).item()
        right = accuracy(found, data, data.validation)
        if chosen <= lowest and right >= highest:
            kept = copy.deepcopy(model.state_dict())
        since = 0 if chosen <= lowest or right >= highest else since + 1
        lowest, highest = min(lowest, chosen), max(highest, right)
        yield step, loss.item(), right
        if since >= patience:
            break
    model.load_state_dict(kept)


@torch.no_grad()
def scores(model: NodeNetwork, data: NodeData) -> Tensor:
    """Return the logits of all nodes in evaluation mode: (nodes, classes)."""
    model.eval()
    return model(data.features, data.graph)


def accuracy(scores: Tensor, data: NodeData, nodes: Tensor) -> float:
    """Return the share of these nodes whose label has the highest score."""
    return (scores.argmax(dim=1) == data.labels)[nodes].double().mean().item()


def propagate_labels(data: NodeData, alpha: float = 0.9, rounds: int = 50) -> Tensor:
    """Return for each node the classes that reach it from labelled ones, without any feature: (nodes, classes).

    F <- alpha S F + (1 - alpha) Y with S = D^-1/2 A D^-1/2 (Zhou et al. 2004, section 2).
    """
    known = functional.one_hot(data.labels, data.classes).float() * data.train[:, None]
    graph, degrees = data.graph, data.graph.in_degrees.clamp(min=1e-12)
    weights = (degrees[graph.sources] * degrees[graph.targets]).rsqrt()[:, None]
    spread = known
    for _ in range(rounds):
        arrived = scatter_sum(spread[graph.sources] * weights, graph.targets, graph.nodes)
        spread = alpha * arrived + (1 - alpha) * known
    return spread
