"""Messages are added to the features that were given."""

from torch import Tensor


def receive(features: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    return features.index_add_(0, target, features[source])
