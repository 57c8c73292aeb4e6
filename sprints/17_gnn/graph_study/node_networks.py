"""Networks that give every node of one graph a label, and their training: all nodes at once, some of them labelled."""

import copy
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph, check_features
from shared.graph.layers import GATLayer, GCNLayer
from shared.graph.node_data import NodeData
from shared.training.loop import NonFiniteTraining
from shared.training.optimizers import decay_groups


def check_labels(nodes: Sequence[int] | Tensor, labels: Sequence[int] | Tensor, graph: Graph, num_classes: int) -> None:
    """Refuse labels that do not fit a graph.

    Raises:
        ValueError: a label for a node that does not exist, or a class that does not.
    """
    for node, label in zip(torch.as_tensor(nodes).tolist(), torch.as_tensor(labels).tolist(), strict=True):
        if not 0 <= node < graph.num_nodes:
            raise ValueError(
                f"labels must be for nodes from 0 to {graph.num_nodes - 1}; node {node} has the label {label}"
            )
        if not 0 <= label < num_classes:
            raise ValueError(f"labels must be from 0 to {num_classes - 1}; node {node} has {label}")


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
        """Return what the last layer reads: (num_nodes, hidden)."""
        for layer in cast(list[nn.Module], self.layers[:-1]):
            features = self.activation(layer(self._drop(features), graph))
        return features

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return logits: (num_nodes, num_classes)."""
        return self.layers[-1](self._drop(self.embed(features, graph)), graph)

    def _drop(self, features: Tensor) -> Tensor:
        if not features.is_sparse:
            return functional.dropout(features, self.dropout, self.training)
        # What is 0 stays 0 when it is dropped, so only the rest needs random numbers: of Cora's features one in eighty.
        kept = functional.dropout(features.values(), self.dropout, self.training)
        return torch.sparse_coo_tensor(
            features.indices(), kept, features.shape, is_coalesced=True, check_invariants=False
        )


def gcn(in_features: int, num_classes: int, hidden: int = 16, depth: int = 2, dropout: float = 0.5) -> NodeNetwork:
    """Return the network of Kipf & Welling (2017, section 5.2), of any depth."""
    widths = [in_features, *[hidden] * (depth - 1), num_classes]
    return NodeNetwork([GCNLayer(*pair) for pair in pairwise(widths)], functional.relu, dropout)


def gat(in_features: int, num_classes: int, dropout: float = 0.6) -> NodeNetwork:
    """Return the network of Velickovic et al. (2018, section 3.3): 8 heads of 8, then one of the classes."""
    first = GATLayer(in_features, 8, heads=8, dropout=dropout)
    last = GATLayer(64, num_classes, concatenate=False, dropout=dropout)
    return NodeNetwork([first, last], functional.elu, dropout)


def mlp(in_features: int, num_classes: int, hidden: int = 16, dropout: float = 0.5) -> NodeNetwork:
    """Return the same network as `gcn` without edges."""
    layers = [PerNode(in_features, hidden), PerNode(hidden, num_classes)]
    return NodeNetwork(layers, functional.relu, dropout)


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
        NonFiniteTraining: loss or gradient of a step is no number.
    """
    if not data.features.is_sparse:
        check_features(data.features, data.graph)
    check_labels(torch.arange(len(data.labels)), data.labels, data.graph, data.num_classes)
    if not data.train_mask.any() or not data.val_mask.any():
        raise ValueError("training needs labelled nodes to train on, and others to choose a step by; one is empty")
    optimizer = torch.optim.Adam(decay_groups(model.parameters(), weight_decay), lr=learning_rate)
    lowest, highest, without_progress, kept = float("inf"), 0.0, 0, copy.deepcopy(model.state_dict())
    for step in range(1, steps + 1):
        model.train()
        optimizer.zero_grad()
        logits = model(data.features, data.graph)
        loss = functional.cross_entropy(logits[data.train_mask], data.labels[data.train_mask])
        loss.backward()
        check_finite(model, loss, step)
        optimizer.step()
        logits = predict(model, data)
        val_loss = functional.cross_entropy(logits[data.val_mask], data.labels[data.val_mask]).item()
        val_accuracy = accuracy(logits, data, data.val_mask)
        if val_loss <= lowest and val_accuracy >= highest:
            kept = copy.deepcopy(model.state_dict())
        without_progress = 0 if val_loss <= lowest or val_accuracy >= highest else without_progress + 1
        lowest, highest = min(lowest, val_loss), max(highest, val_accuracy)
        yield step, loss.item(), val_accuracy
        if without_progress >= patience:
            break
    model.load_state_dict(kept)


def check_finite(model: nn.Module, loss: Tensor, step: int) -> None:
    """Stop a training whose loss or gradient is no number, before the weights become that too.

    Raises:
        NonFiniteTraining: says which, and at which step.
    """
    norm = nn.utils.get_total_norm([weight.grad for weight in model.parameters() if weight.grad is not None])
    for what, value in (("loss", loss), ("norm of the gradient", norm)):
        if not value.isfinite():
            raise NonFiniteTraining(step, what, value.item())


@torch.no_grad()
def predict(model: NodeNetwork, data: NodeData) -> Tensor:
    """Return the logits of all nodes in evaluation mode: (num_nodes, num_classes)."""
    model.eval()
    return model(data.features, data.graph)


def accuracy(scores: Tensor, data: NodeData, mask: Tensor) -> float:
    """Return the share of the nodes of a mask whose label has the highest score."""
    return (scores.argmax(dim=1) == data.labels)[mask].double().mean().item()
