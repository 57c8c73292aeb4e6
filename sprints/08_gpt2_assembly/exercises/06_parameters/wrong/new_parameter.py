"""A parameter of its own with the numbers of the embedding."""

from torch import nn


def tie(embedding: nn.Embedding, head: nn.Linear) -> None:
    head.weight = nn.Parameter(embedding.weight.detach().clone())
