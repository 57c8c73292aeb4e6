"""One graph whose nodes have features and labels: what a network that names nodes is trained and scored on."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from shared.graph.graphs import Graph


class NodeData(NamedTuple):
    """A graph whose nodes have features and labels, and who may see which label."""

    graph: Graph
    features: Tensor  # (num_nodes, features), may be sparse
    labels: Tensor  # (num_nodes), from 0
    num_classes: int
    # Truth values, (num_nodes): whose labels train, choose between steps, and are scored once.
    train_mask: Tensor
    val_mask: Tensor
    test_mask: Tensor

    def to(self, device: torch.device) -> "NodeData":
        tensors = (self.labels, self.train_mask, self.val_mask, self.test_mask)
        labels, *masks = (tensor.to(device) for tensor in tensors)
        return NodeData(self.graph.to(device), self.features.to(device), labels, self.num_classes, *masks)

    def training_labels(self) -> tuple[Tensor, Tensor]:
        """Return the labels that train as one-hot rows, (labelled, num_classes), and whose they are, (labelled)."""
        labelled = self.train_mask.nonzero()[:, 0]
        return functional.one_hot(self.labels[labelled], self.num_classes).float(), labelled
