"""The sum begins with what the node holds itself."""

from torch import Tensor


def receive(features: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    return features.index_add(0, target, features[source])
