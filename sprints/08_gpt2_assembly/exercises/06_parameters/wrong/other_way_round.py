"""The embedding is replaced by the head."""

from torch import nn


def tie(embedding: nn.Embedding, head: nn.Linear) -> None:
    embedding.weight = head.weight
