"""Seven fruits, few enough to follow every item on paper."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

KINDS = ("apple", "banana")
# Grams, centimetres, and the number of the kind.
ROWS = (
    (150.0, 7.0, 0),
    (120.0, 19.0, 1),
    (170.0, 8.0, 0),
    (110.0, 17.0, 1),
    (160.0, 7.0, 0),
    (130.0, 20.0, 1),
    (140.0, 8.0, 0),
)


class Fruits(Dataset[tuple[Tensor, int]]):
    """Weight and length of each fruit, float32 (2,), and the number of its kind."""

    def __init__(self) -> None:
        self.rows = ROWS

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        grams, centimetres, kind = self.rows[index]
        return torch.tensor([grams, centimetres]), kind


def class_means(
    features: Float[Tensor, "items features"], labels: Tensor, classes: int
) -> Float[Tensor, "classes features"]:
    """Return the mean of the items of each class."""
    return torch.stack([features[labels == number].mean(dim=0) for number in range(classes)])


def squared_distances(
    point: Float[Tensor, " features"], means: Float[Tensor, "classes features"]
) -> Float[Tensor, " classes"]:
    """Return how far a point is from each mean: the squared differences, added up."""
    return (means - point).square().sum(dim=1)
